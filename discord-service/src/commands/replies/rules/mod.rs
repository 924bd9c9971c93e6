//! Replies about rules and mutes.

mod check;
mod list;
mod not_made;

use std::collections::BTreeMap;

use shared::{ChannelId, UserId};

pub(in crate::commands) use self::check::{Obstacle, TargetProblem, rule_decides};
pub(in crate::commands) use self::list::KeptRules;
pub(in crate::commands) use self::not_made::{
    mentions_everyone, mentions_nobody, mistaken_rules, no_such_mute, no_such_rule, routes_to_its_home,
};
use super::{Button, Reply, ReplyTexts, fields, mention, quoted};
use crate::{
    commands::rules::UnmuteButton,
    rules::{Conditions, Mute, MuteScope, Rule, words},
};

/// What somebody should know of a rule that was added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::commands) enum RuleWarning {
    /// It never decides anything: an earlier rule takes all its alerts.
    Shadowed { number: usize, earlier: usize },
    /// It takes all alerts.
    TakesAll,
    /// It drops all alerts, or all that no earlier rule takes.
    DropsAll { home: ChannelId, number: usize },
    /// Discord refuses posts in its target, in these words.
    Closed { target: ChannelId, words: String },
    /// Its target has rules of its own.
    TargetHasRules(ChannelId),
    /// Whom it mentions does not see the message.
    CannotSee { user: UserId, channel: ChannelId },
}

impl ReplyTexts<'_> {
    /// `rule add`.
    pub(in crate::commands) fn rule_added(
        &self,
        number: usize,
        rule: &Rule,
        warnings: &[RuleWarning],
    ) -> Reply {
        let warnings: String =
            warnings.iter().map(|warning| format!("\n{}", self.warning(warning))).collect();
        format!("Rule {number}: {}{warnings}", words::rule(rule)).into()
    }

    fn warning(&self, warning: &RuleWarning) -> String {
        match warning {
            RuleWarning::Shadowed { number, earlier } => self.shadowed(*number, *earlier),
            RuleWarning::TakesAll => {
                "It has no conditions, so it takes every alert. Rules after it never apply.".to_owned()
            }
            RuleWarning::DropsAll { home, number: 1 } => format!(
                "It has no conditions, so no alert that Sentry sends to {} appears any more.",
                mention(home)
            ),
            RuleWarning::DropsAll { .. } => {
                "It has no conditions, so it drops every alert that no earlier rule takes.".to_owned()
            }
            RuleWarning::Closed { target, words } => format!(
                "Discord refuses posts in {} at the moment: {}\nIts alerts become dead letters and follow later.",
                mention(target),
                quoted(words)
            ),
            RuleWarning::TargetHasRules(target) => {
                format!("The rules of {} do not apply to alerts from here.", mention(target))
            }
            RuleWarning::CannotSee { user, channel } => {
                format!("<@{user}> cannot see {}, so the mention does not reach them.", mention(channel))
            }
        }
    }

    fn shadowed(&self, number: usize, earlier: usize) -> String {
        format!("{} {} changes the order.", never_apply(&[number], earlier), self.names.slash("rule move"))
    }

    /// To a command that another pod carried out, and died before it could say so.
    pub(in crate::commands) fn done_before(&self) -> Reply {
        let list = self.names.slash("rule list");
        format!("This is done already. {list} shows the rules and mutes of the channel.").into()
    }
}

/// `rule move`. The pairs are rules that no longer apply, each with the one that takes all
/// its alerts.
pub(in crate::commands) fn rule_moved(number: usize, place: usize, shadowed: &[(usize, usize)]) -> Reply {
    let mut by_earlier = BTreeMap::<usize, Vec<usize>>::new();
    for (number, earlier) in shadowed {
        by_earlier.entry(*earlier).or_default().push(*number);
    }
    let warnings =
        by_earlier.iter().map(|(earlier, numbers)| format!("\n{}", never_apply(numbers, *earlier)));
    format!("Rule {number} is now rule {place}{}", warnings.collect::<String>()).into()
}

/// That rules with these numbers, in order, are in the shadow of an earlier one.
fn never_apply(numbers: &[usize], earlier: usize) -> String {
    let rules = match numbers {
        [number] => return format!("Rule {number} never applies: rule {earlier} takes all its alerts."),
        [first, .., last] if last - first + 1 == numbers.len() && numbers.len() > 2 => {
            format!("Rules {first} to {last}")
        }
        [others @ .., last] => {
            let others: Vec<_> = others.iter().map(ToString::to_string).collect();
            format!("Rules {} and {last}", others.join(", "))
        }
        [] => return String::new(),
    };
    format!("{rules} never apply: rule {earlier} takes all their alerts.")
}

/// `rule remove`. After a mistake, the words help to add the rule again.
pub(in crate::commands) fn rule_removed(number: usize, removed: &Rule) -> Reply {
    format!("Removed rule {number}\nIt was: {}", words::rule(removed)).into()
}

/// `mute`.
pub(in crate::commands) fn muted(home: ChannelId, mute: &Mute) -> Reply {
    let all = mute.scope == MuteScope::Conditions(Conditions::default());
    let all = if all { format!("This mutes all of {}.\n", mention(&home)) } else { String::new() };
    let by_short_id = match &mute.scope {
        MuteScope::Issue(issue) if issue.contains('-') => {
            "Alerts of single events carry no short id. To mute those as well, give the issue's link.\n"
        }
        _ => "",
    };
    let text = format!(
        "Mute {}: {}\n{all}{by_short_id}I count these alerts and do not post them. At the end I say how many they were, if there were any.\n\
         Changes of an issue still edit its earlier messages.",
        mute.number,
        words::mute(mute)
    );
    let button = UnmuteButton { home, number: mute.number };
    Reply::WithButton(text, Button { custom_id: button.custom_id(), label: "Unmute" })
}

/// `unmute`.
pub(in crate::commands) fn unmuted(number: u64) -> Reply {
    format!("Mute {number} has ended").into()
}

/// `unmute` of a mute that is over.
pub(in crate::commands) fn unmuted_before(number: u64) -> Reply {
    format!("Mute {number} has ended already").into()
}

/// What comes after a reply about a channel that was revoked: the homes whose rules send
/// alerts there.
pub(in crate::commands) fn target_revoked(homes: &[ChannelId]) -> String {
    let homes = fields::list(homes.iter().map(mention));
    format!("\nRules of {homes} send alerts there. These alerts stay where they came in.")
}

/// What follows a reply about another channel than the one in which it is read.
pub(in crate::commands) fn elsewhere(home: ChannelId) -> String {
    format!("\nThis is about alerts for {}.", mention(&home))
}

#[cfg(test)]
mod tests;
