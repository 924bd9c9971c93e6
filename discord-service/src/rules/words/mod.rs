//! Rules and mutes in words, with Discord's markup. Foreign text is in code spans that
//! it cannot leave.

use shared::{UserId, alert::Ping};

use super::{Action, Conditions, Kind, Level, MAX_TEXT, Mute, MuteScope, Rule};
use crate::render;

/// Which alerts a rule takes, what it does with them, and whom it mentions.
pub fn rule(rule: &Rule) -> String {
    let taken = conditions(&rule.conditions);
    let action = match rule.action {
        Action::Route(target) => format!("<#{target}>"),
        Action::Drop => "dropped".to_owned(),
        Action::Keep => "kept here".to_owned(),
    };
    match rule.ping {
        Some(ping) => format!("{taken} → {action}, mentions {}", mention(ping)),
        None => format!("{taken} → {action}"),
    }
}

/// Which alerts a mute keeps quiet, until when, who made it and why.
pub fn mute(mute: &Mute) -> String {
    format!("{} until {}, {}", scope(&mute.scope), time(mute.until_ms), by_and_why(mute))
}

/// Which alerts a mute kept quiet, who made it and why. It may have ended before its time.
pub fn ended(mute: &Mute) -> String {
    format!("{}, {}", scope(&mute.scope), by_and_why(mute))
}

fn by_and_why(mute: &Mute) -> String {
    match &mute.reason {
        Some(reason) => format!("by {}: {}", user(mute.by), code(reason)),
        None => format!("by {}", user(mute.by)),
    }
}

/// Which alerts a mute keeps quiet.
pub fn scope(scope: &MuteScope) -> String {
    match scope {
        MuteScope::Conditions(held) => conditions(held),
        MuteScope::Issue(issue) => format!("issue {}", code(issue)),
    }
}

/// Which alerts meet these.
pub fn conditions(conditions: &Conditions) -> String {
    let Conditions { project, environment, level, kind } = conditions;
    let mut words = match kind {
        Some(kind) => alerts_of(*kind).to_owned(),
        None if *conditions == Conditions::default() => "all alerts".to_owned(),
        None => "alerts".to_owned(),
    };
    if let Some(project) = project {
        words += &format!(" of {}", code(project.as_ref()));
    }
    if let Some(environment) = environment {
        words += &format!(" in {}", code(environment.as_ref()));
    }
    let pause = if project.is_some() || environment.is_some() { "," } else { "" };
    match level {
        // Nothing is higher.
        Some(Level::Fatal) => words += &format!("{pause} of level fatal"),
        Some(level) => words += &format!("{pause} from level {level} up"),
        None => {}
    }
    words
}

/// A mention of whom a rule mentions.
pub fn mention(ping: Ping) -> String {
    match ping {
        Ping::Role(role) => format!("<@&{role}>"),
        Ping::User(id) => user(id),
    }
}

/// A mention of a user.
pub fn user(id: UserId) -> String {
    format!("<@{id}>")
}

/// A time in milliseconds since 1970, by each reader's clock.
fn time(ms: i64) -> String {
    format!("<t:{}:f>", ms.div_euclid(1_000))
}

fn alerts_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Error => "errors",
        Kind::Issue => "news of issues",
        Kind::Metric => "metric alerts",
        Kind::Cron => "cron alerts",
        Kind::Uptime => "uptime alerts",
        Kind::Performance => "performance alerts",
        Kind::Feedback => "user feedback",
        Kind::Other => "alerts of other kinds",
    }
}

fn code(text: &str) -> String {
    let text = render::clean(text);
    format!("`{}`", if text.is_empty() { "?".to_owned() } else { render::cut(&text, MAX_TEXT.into()) })
}

#[cfg(test)]
mod tests;
