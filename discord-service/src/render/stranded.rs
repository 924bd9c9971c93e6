//! Why an alert is in its home though a rule sends it elsewhere.

use shared::{
    Alert,
    alert::{Stranded, WhyStranded},
};

/// The whole line.
pub(super) fn line(alert: &Alert) -> Option<String> {
    words(alert).map(|words| format!("Rule {words}"))
}

/// The same after the word `Rule`.
pub(super) fn words(alert: &Alert) -> Option<String> {
    let Stranded { target, why } = alert.routing.stranded?;
    let why = match why {
        WhyStranded::Full => "where too many alerts wait",
        WhyStranded::Gone => "which is not authorized any more",
        WhyStranded::Secured => "which is secured, and this channel is not",
    };
    Some(format!("sends this to <#{target}>, {why}"))
}

/// The same in a few words.
pub(super) fn brief(alert: &Alert) -> Option<String> {
    let Stranded { target, why } = alert.routing.stranded?;
    let why = match why {
        WhyStranded::Full => "full",
        WhyStranded::Gone => "not authorized",
        WhyStranded::Secured => "secured",
    };
    Some(format!("not in <#{target}>: {why}"))
}
