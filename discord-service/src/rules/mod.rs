//! Rules and mutes: what a channel does with each alert that comes to it.
//!
//! A channel's rules sort the alerts that Sentry sends to it, its *home*. A mute
//! keeps alerts quiet for a time. All decisions are made by one pure function,
//! [`decide()`].

mod conditions;
pub mod counts;
mod decide;
mod edits;
mod facts;
mod glob;
mod rulebook;
pub mod words;

use serde::{Deserialize, Serialize};
use shared::{ChannelId, UserId, alert::Ping};

pub use self::{
    conditions::{Conditions, Kind, Level},
    counts::{Hit, RuleCounts},
    decide::{Decision, decide},
    edits::{InvalidIssue, RuleRefusal, TooManyMutes, shadowed_by},
    facts::AlertFacts,
    glob::{Glob, InvalidGlob},
    rulebook::Rulebook,
};

/// The version of the document that this build writes.
pub const VERSION: u32 = 1;
/// The most rules that a channel may have, and the most mutes.
pub const MOST: usize = 25;
/// The most characters of a text in a rule or a mute: a pattern, an issue's id, a reason.
pub const MAX_TEXT: u16 = 100;

/// The rules and mutes of one channel, in the order in which they apply.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ChannelRules {
    /// The document's version. A reader refuses one that it does not know.
    pub v: u32,
    /// The rules. The first that matches decides.
    pub rules: Vec<Rule>,
    /// The mutes, by number. Some may have ended.
    #[serde(default)]
    pub mutes: Vec<Mute>,
    /// The id of the last rule that was made. Ids are not used again.
    #[serde(default)]
    pub last_rule: u64,
    /// The number of the last mute that was made. Numbers are not used again.
    #[serde(default)]
    pub last_mute: u64,
    /// The last commands that changed these, the oldest first: the ids of their messages
    /// or interactions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub commands: Vec<u64>,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Names it in the counts. No other rule of the channel has had it. People see the
    /// rule's place in the list, from 1.
    pub id: u64,
    /// Which alerts it decides.
    pub conditions: Conditions,
    /// What becomes of them.
    pub action: Action,
    /// Whom their messages mention.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ping: Option<Ping>,
    /// Who made it.
    pub by: UserId,
    /// When, in milliseconds since 1970.
    pub made_ms: i64,
}

impl Rule {
    /// The channel to which it sends alerts on.
    pub fn target(&self) -> Option<ChannelId> {
        match self.action {
            Action::Route(target) => Some(target),
            Action::Drop | Action::Keep => None,
        }
    }
}

/// What a rule does with an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Posts it in this channel or thread of the same server.
    Route(ChannelId),
    /// Does not post it.
    Drop,
    /// Posts it here.
    Keep,
}

/// One mute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mute {
    /// Its number, as people see it.
    pub number: u64,
    /// Which alerts it keeps quiet.
    pub scope: MuteScope,
    /// When it ends, in milliseconds since 1970.
    pub until_ms: i64,
    /// Why, in the words of who made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who made it.
    pub by: UserId,
    /// When, in milliseconds since 1970.
    pub made_ms: i64,
}

/// Which alerts a mute keeps quiet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MuteScope {
    /// Those that meet all of these.
    Conditions(Conditions),
    /// Those of one issue: its short id (`BACKEND-1F`) or its number.
    Issue(String),
}
