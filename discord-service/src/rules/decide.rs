//! What becomes of an alert.

use shared::{Alert, ChannelId, alert::Ping};

use super::ChannelRules;

/// What becomes of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// The mute with this number keeps it quiet.
    Mute(u64),
    /// It is posted here. `rule` decided so; none matched if it is absent.
    Keep {
        /// The id of the rule.
        rule: Option<u64>,
        /// Whom its message mentions.
        ping: Option<Ping>,
    },
    /// It is posted in `target`.
    Route {
        /// The id of the rule.
        rule: u64,
        /// Where.
        target: ChannelId,
        /// Whom its message mentions.
        ping: Option<Ping>,
    },
    /// The rule with this id drops it.
    Drop(u64),
}

/// What becomes of this alert at this time, in milliseconds since 1970. Mutes
/// come before rules. Rules do not apply to an alert that a rule of another
/// channel sent here.
pub fn decide(rules: &ChannelRules, alert: &Alert, now_ms: i64) -> Decision {
    let _ = (rules, alert, now_ms);
    Decision::Keep { rule: None, ping: None }
}
