//! `rule check`.

use shared::ChannelId;

use super::{Reply, mention, quoted};
use crate::{
    commands::parse::CheckedAlert,
    rules::{Kind, Mute, Rule, words},
};

/// Why alerts do not get to the target of a rule now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::commands) enum TargetProblem {
    NotAuthorized,
    /// It is secured, and the home is not.
    Secured,
    /// It was deleted, or the bot does not see it.
    Hidden,
    /// Discord refuses posts there, in these words.
    Closed(String),
}

impl TargetProblem {
    /// What `rule list` says behind a rule with this target.
    pub(super) const fn in_list(&self) -> &'static str {
        match self {
            Self::NotAuthorized => " (not authorized, so they stay here)",
            Self::Secured => " (secured and this channel is not, so they stay here)",
            Self::Hidden => " (deleted, or I cannot see it)",
            Self::Closed(_) => " (Discord refuses posts there)",
        }
    }
}

/// Why an alert does not get to where a rule wants it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::commands) enum Obstacle {
    HomeNotAuthorized,
    /// A mute of the home, or of the rule's target.
    Muted {
        target: Option<ChannelId>,
        mute: Mute,
    },
    Target(ChannelId, TargetProblem),
}

/// `rule check`: the rule that decides, the alert as it was given, and what is in the way.
pub(in crate::commands) fn rule_decides(
    home: ChannelId,
    alert: &CheckedAlert,
    decides: Option<(usize, &Rule)>,
    obstacle: Option<&Obstacle>,
) -> Reply {
    let first = match decides {
        Some((number, rule)) => format!("Rule {number} decides: {}", words::rule(rule)),
        None => "No rule matches: the alert stays here".to_owned(),
    };
    let obstacle = obstacle.map(|obstacle| format!("\nBut {}", in_the_way(home, obstacle)));
    format!("{first}\nThat is for {}.{}", described(alert), obstacle.unwrap_or_default()).into()
}

fn in_the_way(home: ChannelId, obstacle: &Obstacle) -> String {
    let home = mention(&home);
    match obstacle {
        Obstacle::HomeNotAuthorized => format!("{home} is not authorized, so none of its alerts is posted."),
        Obstacle::Muted { target, mute } => {
            let of = target.map(|target| format!(" of {}", mention(&target))).unwrap_or_default();
            format!("mute {}{of} keeps it quiet: {}", mute.number, words::mute(mute))
        }
        Obstacle::Target(target, problem) => {
            let target = mention(target);
            match problem {
                TargetProblem::NotAuthorized => {
                    format!("{target} is not authorized, so the alert stays in {home}.")
                }
                TargetProblem::Secured => {
                    format!("{target} is secured and {home} is not, so the alert stays in {home}.")
                }
                TargetProblem::Hidden => format!("{target} was deleted, or I cannot see it."),
                TargetProblem::Closed(words) => {
                    format!("Discord refuses posts in {target} at the moment: {}", quoted(words))
                }
            }
        }
    }
}

/// An alert with what it has and lacks. No condition holds on what it lacks.
fn described(alert: &CheckedAlert) -> String {
    let CheckedAlert { project, environment, level, kind } = alert;
    let mut words = one_of(*kind).to_owned();
    let mut lacks = Vec::new();
    match project {
        Some(project) => words += &format!(" of {}", quoted(project)),
        None => lacks.push("project"),
    }
    match environment {
        Some(environment) => words += &format!(" in {}", quoted(environment)),
        None => lacks.push("environment"),
    }
    match level {
        Some(level) => words += &format!(" at level {level}"),
        None => lacks.push("level"),
    }
    match &*lacks {
        [] => words,
        [others @ .., last] if !others.is_empty() => {
            format!("{words}, without {} or {last}", others.join(", "))
        }
        [last, ..] => format!("{words}, without {last}"),
    }
}

fn one_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Error => "an error",
        Kind::Issue => "news of an issue",
        Kind::Metric => "a metric alert",
        Kind::Cron => "a cron alert",
        Kind::Uptime => "an uptime alert",
        Kind::Performance => "a performance alert",
        Kind::Feedback => "user feedback",
        Kind::Other => "an alert of another kind",
    }
}
