//! What becomes of an alert.

use shared::{Alert, ChannelId, alert::Ping};

use super::{Action, AlertFacts, ChannelRules, Mute, MuteScope, Rule};

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
/// channel sent here: it keeps the mention that came with it.
pub fn decide(rules: &ChannelRules, alert: &Alert, now_ms: i64) -> Decision {
    let routed = alert.routing.home.is_some();
    if rules.mutes.is_empty() && (routed || rules.rules.is_empty()) {
        return kept(alert, routed);
    }
    let facts = AlertFacts::from(alert);
    if let Some(mute) = rules.mute_for(&facts, now_ms) {
        return Decision::Mute(mute.number);
    }
    match rules.rule_for(&facts) {
        Some((_, rule)) if !routed => match rule.action {
            Action::Drop => Decision::Drop(rule.id),
            Action::Route(target) if target != alert.channel => {
                Decision::Route { rule: rule.id, target, ping: rule.ping }
            }
            Action::Route(_) | Action::Keep => Decision::Keep { rule: Some(rule.id), ping: rule.ping },
        },
        _ => kept(alert, routed),
    }
}

/// Kept, and no rule said so.
fn kept(alert: &Alert, routed: bool) -> Decision {
    Decision::Keep { rule: None, ping: alert.routing.ping.filter(|_| routed) }
}

impl ChannelRules {
    /// The first mute that keeps such an alert quiet at this time, in milliseconds
    /// since 1970.
    pub fn mute_for(&self, facts: &AlertFacts<'_>, now_ms: i64) -> Option<&Mute> {
        self.mutes.iter().find(|mute| mute.runs(now_ms) && mute.scope.takes(facts))
    }

    /// The rule that decides such an alert, and its place in the list, from 1.
    pub fn rule_for(&self, facts: &AlertFacts<'_>) -> Option<(usize, &Rule)> {
        (1..).zip(&self.rules).find(|(_, rule)| rule.conditions.hold(facts))
    }
}

impl Mute {
    /// Whether it has not ended at this time, in milliseconds since 1970.
    pub fn runs(&self, now_ms: i64) -> bool {
        now_ms < self.until_ms
    }
}

impl MuteScope {
    fn takes(&self, facts: &AlertFacts<'_>) -> bool {
        match self {
            Self::Conditions(conditions) => conditions.hold(facts),
            Self::Issue(issue) => {
                facts.issue == Some(issue)
                    || facts.short_id.is_some_and(|short_id| short_id.eq_ignore_ascii_case(issue))
            }
        }
    }
}

#[cfg(test)]
mod tests;
