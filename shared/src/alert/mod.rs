//! The normalised alert: what crosses the bus. Never the raw body, which is
//! large and holds users' personal data.

mod routing;
mod sender;
mod size_limit;
#[cfg(test)]
mod tests;

pub use self::{
    routing::{Ping, Routing, Stranded, WhyStranded},
    sender::Sender,
};

use serde::{Deserialize, Serialize};

use crate::{
    ids::{ChannelId, UserId},
    text::{cut, printable},
    trace::TracePoint,
};

/// The version of the record that this build writes.
pub const VERSION: u32 = 1;

/// No text of an alert is longer than this many characters: the most that one
/// field of a Discord embed can show.
pub const MAX_TEXT: usize = 1024;
/// No record of an alert is longer than this many bytes on the bus.
pub const MAX_RECORD: usize = 8 << 10;
/// At most this many rule names and tags are kept.
pub const MAX_ITEMS: usize = 8;
/// At most this many frames are kept: the failing one and its callers.
pub const MAX_FRAMES: usize = 10;
/// At most this many exceptions are kept beside the last one.
pub const MAX_CAUSES: usize = 4;

/// Stands for the project's slug where Sentry names none. No user can register
/// it, because a slug has no blanks and no brackets. Then a user with any
/// project may be mentioned.
pub const UNKNOWN_PROJECT: &str = "(unknown project)";

/// Why an alert was let in, beside its source address. Names a key, never holds it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "by", content = "key")]
pub enum Trust {
    /// Only the source address.
    #[default]
    None,
    /// The channel's token with this key id.
    Token(String),
    /// A signature under the client secret with this key id.
    Signature(String),
}

/// The innermost frame of the user's own code.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Frame {
    /// File or module.
    pub file: String,
    /// Line, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// Function.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    /// The source line itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

/// What is known beyond an event: who did what, and how large it is. What no
/// reader knows is left out, and what a reader does not know it ignores, so that
/// versions can mix.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Details {
    /// Who did it; `None` where Sentry did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// To whom an issue was assigned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assignee: Option<String>,
    /// More about what happened, in a few words: `in the next release`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub how: Option<String>,
    /// What kind of issue it is, where it is no error: `cron`, `outage`, …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// The issue's priority: `high`, …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<String>,
    /// How many events the issue has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub events: Option<u64>,
    /// How many users it has hit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub users: Option<u64>,
    /// Since when it has been going on, in milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since_ms: Option<i64>,
    /// What a metric alert measures and when it fires.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// Names and values that explain the issue.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<(String, String)>,
    /// The exceptions that led to the last one, each `Type: value`. The first that was
    /// raised comes first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<String>,
}

impl Details {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// One alert of Sentry for one Discord channel. Texts are as Sentry sent them,
/// without control characters and cut to [`MAX_TEXT`]; nothing is escaped yet. A missing or empty text is `None`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// The record's version; see [`Alert::decode`].
    pub v: u32,
    /// Where to post.
    pub channel: ChannelId,
    /// Whom to mention.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mention: Option<UserId>,
    /// How the request was trusted.
    #[serde(default)]
    pub trust: Trust,
    /// Whose webhook it came in.
    #[serde(default, skip_serializing_if = "Sender::is_sentry")]
    pub sender: Sender,
    /// What happened: `error` for an event, whichever webhook brought it, else
    /// Sentry's resource and action: `issue.resolved`, `metric_alert.critical`, …
    pub kind: String,
    /// The project's slug, or [`UNKNOWN_PROJECT`].
    pub project: String,
    /// The project's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_name: Option<String>,
    /// The issue's title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The logger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logger: Option<String>,
    /// `debug`, `info`, `warning`, `error`, `fatal`, or whatever was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<String>,
    /// Where it happened, in Sentry's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub culprit: Option<String>,
    /// The message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Link to the issue, unchecked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// When it happened, in milliseconds since 1970.
    pub timestamp_ms: i64,
    /// When the ingress received it, in milliseconds since 1970.
    pub received_ms: i64,
    /// When it was last put back into the queue, likewise: its age counts from then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replayed_ms: Option<i64>,
    /// Whether it was a dead letter that may have been posted already.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub may_have_been_posted: bool,
    /// Sentry's id of the event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_id: Option<String>,
    /// Sentry's id of the issue. For a metric alert it is the id of its incident, for an
    /// uptime alert that of its monitor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issue_id: Option<String>,
    /// The issue's short id, such as `BACKEND-1F`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub short_id: Option<String>,
    /// Names of the alert rules that fired.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<String>,
    /// The environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<String>,
    /// The failing line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frame: Option<Frame>,
    /// The user's own frames that led to [`Alert::frame`]. Its caller comes first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub callers: Vec<Frame>,
    /// A few tags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<(String, String)>,
    /// What is known beyond an event.
    #[serde(default, skip_serializing_if = "Details::is_empty")]
    pub details: Details,
    /// Whether it is about this bot itself, from the operator's own Sentry. What
    /// becomes of it is reported to nobody: the report would be the next alert.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub own: bool,
    /// What rules of Discord channels made of it.
    #[serde(default, skip_serializing_if = "Routing::is_empty")]
    pub routing: Routing,
    /// Its point in a trace. It crosses the bus in the message's headers.
    #[serde(skip)]
    pub trace: Option<TracePoint>,
}

/// Why bytes from the bus are not an alert.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Not JSON, or a field is missing or of the wrong type.
    #[error("not an alert: {0}")]
    Malformed(#[from] serde_json::Error),
    /// Written by a build that this one does not understand.
    #[error("alert of unknown version {0}")]
    UnknownVersion(u32),
}

impl Alert {
    /// An alert that says only its kind, project and channel, and when it came, in
    /// milliseconds since 1970.
    pub fn new(kind: &str, project: &str, channel: ChannelId, received_ms: i64) -> Self {
        Self {
            v: VERSION,
            channel,
            mention: None,
            trust: Trust::None,
            sender: Sender::Sentry,
            kind: kind.to_owned(),
            project: project.to_owned(),
            project_name: None,
            title: None,
            logger: None,
            level: None,
            culprit: None,
            message: None,
            url: None,
            timestamp_ms: received_ms,
            received_ms,
            replayed_ms: None,
            may_have_been_posted: false,
            event_id: None,
            issue_id: None,
            short_id: None,
            rules: Vec::new(),
            environment: None,
            release: None,
            frame: None,
            callers: Vec::new(),
            tags: Vec::new(),
            details: Details::default(),
            own: false,
            routing: Routing::default(),
            trace: None,
        }
    }

    /// Since when it has been waiting, in milliseconds since 1970.
    pub fn waiting_since_ms(&self) -> i64 {
        self.replayed_ms.unwrap_or(self.received_ms)
    }

    /// The alert as the bus carries it, [`MAX_RECORD`] bytes at most: a longer
    /// one is cut, first the frames, then causes, evidence, tags and message.
    pub fn encode(&self) -> Vec<u8> {
        let record = self.record();
        if record.len() <= MAX_RECORD { record } else { size_limit::fitted(self.clone()) }
    }

    fn record(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("strings, numbers and lists always serialize")
    }

    /// Reads an alert from the bus. Unknown fields are ignored and missing
    /// optional ones are `None`, so that versions can mix during an update.
    ///
    /// # Errors
    /// [`DecodeError`] when it will never be readable by this build.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        #[derive(Deserialize)]
        struct Versioned {
            v: u32,
        }
        let Versioned { v } = serde_json::from_slice(bytes)?;
        if v != VERSION {
            return Err(DecodeError::UnknownVersion(v));
        }
        Ok(serde_json::from_slice(bytes)?)
    }
}

/// `text` as an alert keeps it: without control characters, trimmed, cut, and
/// `None` when nothing is left.
pub fn kept_text(text: &str) -> Option<String> {
    let text = printable(text);
    let text = text.trim();
    (!text.is_empty()).then(|| cut(text, MAX_TEXT))
}
