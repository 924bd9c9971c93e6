//! Why an alert is in its home though it belongs elsewhere.

use shared::{
    Alert,
    alert::{Stranded, WhyStranded},
};

use super::history::Change;

/// The whole line.
pub(super) fn line(alert: &Alert) -> Option<String> {
    let Stranded { target, why } = alert.routing.stranded?;
    let why = match why {
        WhyStranded::Full => "where too many alerts wait",
        WhyStranded::Gone => "where the bot cannot post any more",
        WhyStranded::Secured => "which is secured, and this channel is not",
    };
    // Rules decide new messages. A change follows its issue.
    let belongs = match Change::of(alert) {
        Some(_) => "This belongs to",
        None => "A rule sends this to",
    };
    Some(format!("{belongs} <#{target}>, {why}"))
}

/// The same in a few words.
pub(super) fn brief(alert: &Alert) -> Option<String> {
    let Stranded { target, why } = alert.routing.stranded?;
    let why = match why {
        WhyStranded::Full => "full",
        WhyStranded::Gone => "no access",
        WhyStranded::Secured => "secured",
    };
    Some(format!("not in <#{target}>: {why}"))
}
