//! The write-ahead record. A post is written down before it is sent, so that a
//! successor repeats exactly this post.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use shared::{ChannelId, UserId, alert::Trust, trace::TracePoint};

use super::messages::ShownMessage;
use crate::{
    dead_letters::{Cause, DeadLetterReason},
    sequences::{of_runs, runs_of},
    stack_trace::StackTrace,
    trust::Admission,
};

/// The version of a post's record.
const VERSION: u32 = 1;
/// The version of an edit's record. A build without edits must not take it for
/// a post.
const EDIT_VERSION: u32 = 2;
/// Discord's limit for a nonce, in characters.
const NONCE_CHARS: usize = 25;

/// The state of a recorded post.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RecordState {
    /// It may have been sent.
    Sending,
    /// Discord confirmed it. Its alerts may still be in the stream.
    Posted,
    /// It will not be posted. Its alerts become dead letters, and some may be
    /// already.
    Dead(Cause),
}

/// What to do with a predecessor's record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RecordFate {
    /// Discord shows the post. Only its alerts must still be removed.
    Remove,
    /// Discord may show it or not. Exactly this post is sent again.
    Repeat,
    /// Those of its alerts that still wait become dead letters.
    Bury(Cause),
}

/// The user that the post mentions, and the project. It is checked again before
/// a repeat.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Mention {
    pub(crate) user: UserId,
    pub(crate) project: String,
}

/// The parts of one post or one edit.
#[derive(Debug, Default)]
pub(crate) struct Content {
    /// The sequences of its alerts in the stream.
    pub(crate) sequences: BTreeSet<u64>,
    pub(crate) mentions: BTreeSet<Mention>,
    /// On what its alerts were let in, each with the newest receipt.
    pub(crate) admissions: BTreeMap<Admission, i64>,
    /// Since when its oldest and its newest alert wait, in milliseconds since 1970.
    pub(crate) since_ms: (i64, i64),
    pub(crate) embeds: usize,
    /// Whether its embeds have links.
    pub(crate) links: bool,
    /// The body of the request to Discord.
    pub(crate) body: serde_json::Value,
}

/// One post or one edit, ready to be sent again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Record {
    v: u32,
    pub(crate) state: RecordState,
    /// Runs of sequences in the stream: for each the distance of its first from
    /// the last before it, and its length. With plain sequences the record of a
    /// large backlog that alternates with others' would not fit a message of NATS.
    runs: Vec<(u64, u64)>,
    pub(crate) mentions: BTreeSet<Mention>,
    /// On what Sentry's alerts for this channel were let in, each with the newest
    /// receipt: checked again before a repeat. Builds before this field checked no trust.
    #[serde(default)]
    trusts: Vec<(Trust, i64)>,
    /// The same of alerts that a rule sent here, each with its home. Older builds
    /// judge nothing by it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    routed_trusts: Vec<(ChannelId, Trust, i64)>,
    /// Since when its oldest and its newest alert wait, in milliseconds since 1970.
    #[serde(rename = "received_ms")]
    pub(crate) since_ms: (i64, i64),
    /// How many embeds it has.
    pub(crate) embeds: usize,
    /// Whether its embeds have links.
    pub(crate) links: bool,
    /// The body of the request to Discord.
    pub(crate) body: serde_json::Value,
    /// The traces that it continues. A successor's repeat continues none.
    #[serde(skip)]
    pub(crate) traces: Vec<TracePoint>,
    /// The message to edit. A post makes a new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) edits: Option<u64>,
    /// The message that was posted, once Discord has confirmed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) message: Option<u64>,
    /// What the message shows after this, if that must be remembered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) shown: Option<ShownMessage>,
    /// What the message's button shows, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) stack_trace: Option<StackTrace>,
    /// How many of its alerts each rule kept here.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) kept_by: BTreeMap<u64, u64>,
    /// The numbers of the mutes whose end it tells.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(crate) tells: BTreeSet<u64>,
}

impl Record {
    /// The record of a post that is about to be sent.
    pub(crate) fn new(content: Content) -> Self {
        let Content { sequences, mentions, admissions, since_ms, embeds, links, body } = content;
        let (mut trusts, mut routed_trusts) = (Vec::new(), Vec::new());
        for (Admission { home, trust }, received_ms) in admissions {
            match home {
                None => trusts.push((trust, received_ms)),
                Some(home) => routed_trusts.push((home, trust, received_ms)),
            }
        }
        Self {
            v: VERSION,
            state: RecordState::Sending,
            runs: runs_of(&sequences),
            mentions,
            trusts,
            routed_trusts,
            since_ms,
            embeds,
            links,
            body,
            traces: Vec::new(),
            edits: None,
            message: None,
            shown: None,
            stack_trace: None,
            kept_by: BTreeMap::new(),
            tells: BTreeSet::new(),
        }
    }

    /// The message that tells the end of these mutes.
    pub(crate) fn telling(mutes: BTreeSet<u64>, body: serde_json::Value, now_ms: i64) -> Self {
        let content = Content { since_ms: (now_ms, now_ms), body, ..Content::default() };
        Self { tells: mutes, ..Self::new(content) }
    }

    /// Adds how many of its alerts each rule kept here.
    pub(crate) fn kept_by(self, kept_by: BTreeMap<u64, u64>) -> Self {
        Self { kept_by, ..self }
    }

    /// Adds what to remember about the message.
    pub(crate) fn showing(self, shown: ShownMessage) -> Self {
        Self { shown: Some(shown), ..self }
    }

    /// Adds what the message's button shows, if it has one.
    pub(crate) fn offering(self, stack_trace: Option<StackTrace>) -> Self {
        Self { stack_trace, ..self }
    }

    /// Adds the traces that it continues.
    pub(crate) fn tracing(self, traces: Vec<TracePoint>) -> Self {
        Self { traces, ..self }
    }

    /// Makes it an edit of this message.
    pub(crate) fn editing(self, message: u64) -> Self {
        Self { v: EDIT_VERSION, edits: Some(message), ..self }
    }

    /// The record of alerts that are about to become dead letters.
    pub(crate) fn dead(sequences: &BTreeSet<u64>, cause: Cause) -> Self {
        let record = Self::new(Content { sequences: sequences.clone(), ..Content::default() });
        Self { state: RecordState::Dead(cause), ..record }
    }

    /// The record of a channel with nothing in flight.
    pub(super) fn nothing() -> Self {
        Self { state: RecordState::Posted, ..Self::new(Content::default()) }
    }

    /// Reads a record from the journal.
    ///
    /// A newer build may have written it, before a roll-back. Then its alerts
    /// become dead letters: they must not be posted twice unnoticed, and must
    /// not hold the channel up. A record for another stream than this one is
    /// ignored, because the same sequences mean new alerts now.
    pub(super) fn read(value: &[u8], channel: ChannelId, stream: &str) -> Option<Self> {
        #[derive(Deserialize)]
        struct Origin {
            // Absent in records of older builds.
            stream: Option<String>,
        }
        #[derive(Deserialize)]
        struct Foreign {
            #[serde(default)]
            state: serde_json::Value,
            runs: Vec<(u64, u64)>,
        }
        if let Ok(Origin { stream: Some(origin) }) = serde_json::from_slice(value)
            && origin != stream
        {
            tracing::warn!(channel.id = %channel, "the record in flight is lost, because its stream was deleted and made again");
            return None;
        }
        if let Ok(record) = serde_json::from_slice::<Self>(value)
            && matches!(record.v, VERSION | EDIT_VERSION)
        {
            return Some(record);
        }
        metrics::counter!("sentry_bot_records_unreadable_total").increment(1);
        tracing::error!(channel.id = %channel, "another version of this program wrote the record in flight");
        let Foreign { state, runs } = serde_json::from_slice(value).ok()?;
        let cause =
            Cause::new(DeadLetterReason::Unreadable, "it was in flight under another version of the bot");
        let record = Self::dead(&BTreeSet::new(), cause.maybe_posted(true));
        let state = if state == "posted" { RecordState::Posted } else { record.state };
        Some(Self { state, runs, ..record })
    }

    /// What a successor does with it. The alerts of a post are removed only
    /// after Discord has confirmed it, beginning with the first.
    pub(crate) fn resume(&self, first_waits: bool) -> RecordFate {
        match &self.state {
            RecordState::Sending if first_waits => RecordFate::Repeat,
            RecordState::Sending | RecordState::Posted => RecordFate::Remove,
            RecordState::Dead(cause) => RecordFate::Bury(cause.clone()),
        }
    }

    /// On what its alerts were let in, each with the newest receipt.
    pub(crate) fn admissions(&self) -> impl Iterator<Item = (Admission, i64)> {
        let own = self.trusts.iter().map(|(trust, received_ms)| (None, trust, *received_ms));
        let routed = self.routed_trusts.iter();
        let routed = routed.map(|(home, trust, received_ms)| (Some(*home), trust, *received_ms));
        own.chain(routed)
            .map(|(home, trust, received_ms)| (Admission { home, trust: trust.clone() }, received_ms))
    }

    /// The sequence of its first alert.
    pub(crate) fn first(&self) -> Option<u64> {
        self.runs.first().map(|(distance, _)| *distance)
    }

    /// The sequences of its alerts.
    pub(crate) fn sequences(&self) -> BTreeSet<u64> {
        of_runs(&self.runs)
    }
}

/// The nonce of a post. It is the same for the same content and different for
/// any other, even if the stream was made again and its sequences repeat.
pub(crate) fn nonce(channel: ChannelId, sequences: &BTreeSet<u64>, embeds: &[serde_json::Value]) -> String {
    let mut hash = Sha256::new();
    hash.update(channel.get().to_le_bytes());
    for sequence in sequences {
        hash.update(sequence.to_le_bytes());
    }
    for embed in embeds {
        hash.update(embed.to_string());
    }
    let mut text = hex::encode(hash.finalize());
    text.truncate(NONCE_CHARS);
    text
}

#[cfg(test)]
mod tests;
