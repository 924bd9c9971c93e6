//! From options to a command about rules or mutes. These commands have so many options
//! that people fill them in by name, under `/sentry`.

use std::{collections::BTreeMap, str::FromStr};

use shared::{ChannelId, text::cut};

use super::{Command, ParseError, channel_argument};
use crate::{
    guilds::ChannelArgument,
    rules::{Action, Conditions, Glob, Kind, Level, MAX_TEXT, MuteScope},
};

/// The values of `action`, and what people see of them.
pub(in crate::commands) const ACTIONS: [(&str, &str); 3] = [
    ("route", "route: post them in another channel"),
    ("drop", "drop: do not post them"),
    ("keep", "keep: post them here"),
];

/// The values of `for`, what people see of them, and the hours.
pub(in crate::commands) const MUTE_TIMES: [(&str, &str, i64); 5] = [
    ("1h", "1 hour", 1),
    ("4h", "4 hours", 4),
    ("8h", "8 hours", 8),
    ("24h", "24 hours", 24),
    ("7d", "7 days", 7 * 24),
];
const HOUR_MS: i64 = 3_600_000;

/// `rule …`, `mute` or `unmute`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::commands) struct RulesCommand {
    /// The channel that it is about; none means this one.
    pub(in crate::commands) home: Option<ChannelArgument>,
    /// What is asked.
    pub(in crate::commands) request: RulesRequest,
}

/// What can be done about the rules and mutes of a channel. Rules are named by their
/// place in the list, from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::commands) enum RulesRequest {
    /// `rule list`.
    List,
    /// `rule add`.
    Add(NewRule),
    /// `rule remove`.
    Remove(usize),
    /// `rule move`.
    Move {
        /// The rule.
        number: usize,
        /// Where it goes.
        position: usize,
    },
    /// `rule check`.
    Check(CheckedAlert),
    /// `mute`.
    Mute(NewMute),
    /// `unmute`, by the number of the mute.
    Unmute(u64),
}

/// A rule as it is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::commands) struct NewRule {
    pub(in crate::commands) conditions: Conditions,
    pub(in crate::commands) action: Action,
    /// The id of a role, of a user, or of nobody.
    pub(in crate::commands) mention: Option<u64>,
}

/// An alert as `rule check` describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::commands) struct CheckedAlert {
    pub(in crate::commands) project: Option<String>,
    pub(in crate::commands) environment: Option<String>,
    pub(in crate::commands) level: Option<Level>,
    pub(in crate::commands) kind: Kind,
}

/// A mute as it is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::commands) struct NewMute {
    pub(in crate::commands) scope: MuteScope,
    /// For how long, in milliseconds.
    pub(in crate::commands) for_ms: i64,
    pub(in crate::commands) reason: Option<String>,
}

/// Why options make no rule, mute or alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(in crate::commands) enum RulesMistake {
    /// What should be a pattern for names is not.
    #[error("not a pattern")]
    NotAPattern,
    /// An option with this name has only blanks.
    #[error("only blanks in {0}")]
    Blank(&'static str),
    /// What should name an issue does not.
    #[error("not an issue")]
    NotAnIssue,
    /// A value that Discord's client does not offer, or one that it demands is absent.
    #[error("not a choice")]
    NotAChoice,
    /// A route without its target.
    #[error("no target")]
    NoTarget,
    /// A target of what is no route.
    #[error("not a route")]
    NotARoute,
    /// Whom to mention in what is not posted.
    #[error("no message for a mention")]
    NoMessage,
    /// An issue and conditions.
    #[error("an issue and conditions")]
    IssueAndConditions,
}

impl RulesCommand {
    /// The command's name in metrics and logs.
    pub(super) const fn name(&self) -> &'static str {
        match self.request {
            RulesRequest::List => "rule list",
            RulesRequest::Add(_) => "rule add",
            RulesRequest::Remove(_) => "rule remove",
            RulesRequest::Move { .. } => "rule move",
            RulesRequest::Check(_) => "rule check",
            RulesRequest::Mute(_) => "mute",
            RulesRequest::Unmute(_) => "unmute",
        }
    }
}

/// What was typed after `rule`. All but the list exists only under `/sentry`.
pub(super) fn typed(word: Option<&str>, argument: Option<&str>) -> Result<Command, ParseError> {
    let list = |home| Command::Rules(RulesCommand { home, request: RulesRequest::List });
    Ok(match word.unwrap_or_default().to_lowercase().as_str() {
        "add" => Command::SlashOptions("rule add"),
        "remove" => Command::SlashOptions("rule remove"),
        "move" => Command::SlashOptions("rule move"),
        "check" => Command::SlashOptions("rule check"),
        // A word that names no channel is an extra word.
        "" | "list" => list(argument.and_then(|word| channel_argument(word).ok())),
        _ => {
            let home = word.and_then(|word| channel_argument(word).ok());
            list(Some(home.ok_or(ParseError::UnknownWord)?))
        }
    })
}

/// The slash command with these words and options; `None` if it is not about rules or
/// mutes.
pub(in crate::commands) fn named(
    words: &[&str],
    options: &BTreeMap<String, String>,
) -> Option<Result<Command, ParseError>> {
    let options = Options(options);
    let request = match words {
        ["rule", "list"] => Ok(RulesRequest::List),
        ["rule", "add"] => options.rule().map(RulesRequest::Add),
        ["rule", "remove"] => options.required("number").map(RulesRequest::Remove),
        ["rule", "move"] => options.required("number").and_then(|number| {
            options.required("position").map(|position| RulesRequest::Move { number, position })
        }),
        ["rule", "check"] => options.alert().map(RulesRequest::Check),
        ["mute"] => options.mute().map(RulesRequest::Mute),
        ["unmute"] => options.required("number").map(RulesRequest::Unmute),
        _ => return None,
    };
    let home = options.get("channel").map(channel_argument).transpose();
    let request = request.map_err(ParseError::from);
    Some(request.and_then(|request| Ok(Command::Rules(RulesCommand { home: home?, request }))))
}

/// The options of a slash command by their names, as Discord's client filled them in.
struct Options<'a>(&'a BTreeMap<String, String>);

impl Options<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|value| value.trim())
    }

    /// What somebody typed. Without a condition a rule takes more alerts, so blanks are
    /// no way to leave one out.
    fn text(&self, name: &'static str) -> Result<Option<&str>, RulesMistake> {
        match self.get(name) {
            Some("") => Err(RulesMistake::Blank(name)),
            text => Ok(text),
        }
    }

    fn pattern(&self, name: &'static str) -> Result<Option<Glob>, RulesMistake> {
        let pattern = self.text(name)?.map(str::parse).transpose();
        pattern.map_err(|_| RulesMistake::NotAPattern)
    }

    /// One of the values that Discord's client offers.
    fn choice<T: FromStr>(&self, name: &str) -> Result<Option<T>, RulesMistake> {
        self.get(name).map(|value| value.parse().map_err(|_| RulesMistake::NotAChoice)).transpose()
    }

    fn required<T: FromStr>(&self, name: &str) -> Result<T, RulesMistake> {
        self.choice(name)?.ok_or(RulesMistake::NotAChoice)
    }

    fn conditions(&self) -> Result<Conditions, RulesMistake> {
        Ok(Conditions {
            project: self.pattern("project")?,
            environment: self.pattern("environment")?,
            level: self.choice("level")?,
            kind: self.choice("kind")?,
        })
    }

    fn rule(&self) -> Result<NewRule, RulesMistake> {
        let target = self.choice::<ChannelId>("to")?;
        let mention = self.choice("mention")?;
        let action = match (self.get("action"), target) {
            (Some("route"), Some(target)) => Action::Route(target),
            (Some("route"), None) => return Err(RulesMistake::NoTarget),
            (Some(_), Some(_)) => return Err(RulesMistake::NotARoute),
            (Some("drop"), None) if mention.is_some() => return Err(RulesMistake::NoMessage),
            (Some("drop"), None) => Action::Drop,
            (Some("keep"), None) => Action::Keep,
            _ => return Err(RulesMistake::NotAChoice),
        };
        Ok(NewRule { conditions: self.conditions()?, action, mention })
    }

    fn alert(&self) -> Result<CheckedAlert, RulesMistake> {
        Ok(CheckedAlert {
            project: self.text("project")?.map(str::to_owned),
            environment: self.text("environment")?.map(str::to_owned),
            level: self.choice("level")?,
            // Most alerts are errors.
            kind: self.choice("kind")?.unwrap_or(Kind::Error),
        })
    }

    fn mute(&self) -> Result<NewMute, RulesMistake> {
        let time = self.get("for");
        let (.., hours) =
            MUTE_TIMES.iter().find(|(value, ..)| time == Some(*value)).ok_or(RulesMistake::NotAChoice)?;
        let conditions = self.conditions()?;
        let scope = match self.text("issue")? {
            None => MuteScope::Conditions(conditions),
            Some(_) if conditions != Conditions::default() => return Err(RulesMistake::IssueAndConditions),
            Some(text) => MuteScope::issue(named_in(text)).map_err(|_| RulesMistake::NotAnIssue)?,
        };
        let reason = self.text("reason")?.map(|text| cut(text, MAX_TEXT.into()));
        Ok(NewMute { scope, for_ms: hours * HOUR_MS, reason })
    }
}

/// What names the issue in a link to it; any other text as it is.
fn named_in(text: &str) -> &str {
    let after = text.split_once("/issues/").map(|(_, rest)| rest);
    after.and_then(|rest| rest.split(['/', '?', '#']).next()).unwrap_or(text)
}

#[cfg(test)]
mod tests;
