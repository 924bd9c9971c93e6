//! The write-ahead record: what a post contains is written down before it is
//! sent, so that a successor repeats exactly that post.

use std::collections::BTreeSet;

use anyhow::Context as _;
use async_nats::jetstream::kv;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use shared::{ChannelId, UserId, alert::Trust, trace::TracePoint};

use super::{messages::Shown, tally::Tally};
use crate::{
    dead_letters::{Cause, Reason},
    leader,
};

/// The version of a post's record.
const VERSION: u32 = 1;
/// The version of an edit's record, which a build that knows no edits must not
/// take for a post.
const EDIT_VERSION: u32 = 2;
/// Discord's limit for a nonce, in characters.
const NONCE_CHARS: usize = 25;

/// How far a recorded post has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    /// It may have been sent.
    Sending,
    /// Discord confirmed it. Its alerts may still stand in the stream.
    Posted,
    /// It is not posted (any more): its alerts are to become dead letters. Some
    /// may be already.
    Dead(Cause),
}

/// What is to be done with a record that a predecessor left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Resume {
    /// The post stands in Discord: only its alerts are still to be removed.
    Remove,
    /// It may or may not: exactly this post is sent again.
    Repeat,
    /// Its alerts become dead letters, those that still stand.
    Bury(Cause),
}

/// Whom the post mentions, and for which project: checked again before a repeat.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Mention {
    pub(crate) user: UserId,
    pub(crate) project: String,
}

/// One post or one edit, ready to be sent again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Record {
    v: u32,
    pub(crate) state: State,
    /// Runs of sequences in the stream: for each the distance of its first from
    /// the last before it, and its length. With plain sequences the record of a
    /// large backlog that alternates with others' would not fit a message of NATS.
    runs: Vec<(u64, u64)>,
    pub(crate) mentions: BTreeSet<Mention>,
    /// On what its alerts were let in, each with the newest receipt: checked again
    /// before a repeat. Builds before this field checked no trust.
    #[serde(default)]
    pub(crate) trusts: Vec<(Trust, i64)>,
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
    /// The message that is edited; a post makes a new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) edits: Option<u64>,
    /// What the message shows then, where that is to be remembered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) shown: Option<Shown>,
}

impl Record {
    /// A post that is about to be sent.
    pub(crate) fn new(
        sequences: &BTreeSet<u64>,
        mentions: BTreeSet<Mention>,
        trusts: Vec<(Trust, i64)>,
        since_ms: (i64, i64),
        embeds: usize,
        links: bool,
        body: serde_json::Value,
    ) -> Self {
        let runs = runs_of(sequences);
        let (state, traces) = (State::Sending, Vec::new());
        let (edits, shown) = (None, None);
        Self {
            v: VERSION,
            state,
            runs,
            mentions,
            trusts,
            since_ms,
            embeds,
            links,
            body,
            traces,
            edits,
            shown,
        }
    }

    /// The same, of a post whose message shall be remembered.
    pub(crate) fn showing(self, shown: Shown) -> Self {
        Self { shown: Some(shown), ..self }
    }

    /// The same, as a part of these traces.
    pub(crate) fn tracing(self, traces: Vec<TracePoint>) -> Self {
        Self { traces, ..self }
    }

    /// The same, as an edit of this message.
    pub(crate) fn editing(self, message: u64) -> Self {
        Self { v: EDIT_VERSION, edits: Some(message), ..self }
    }

    /// Alerts that are about to become dead letters.
    pub(crate) fn dead(sequences: &BTreeSet<u64>, cause: Cause) -> Self {
        let record =
            Self::new(sequences, BTreeSet::new(), Vec::new(), (0, 0), 0, false, serde_json::Value::Null);
        Self { state: State::Dead(cause), ..record }
    }

    /// Reads what stands in a journal. Of a record that this build does not
    /// understand (a newer one's, before a roll-back) it takes what it can: its
    /// alerts must neither be posted twice unseen nor hold the channel up. A record
    /// of another stream than this one names alerts that are gone with it: what has
    /// their sequences now is new.
    fn read(value: &[u8], channel: ChannelId, stream: &str) -> Option<Self> {
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
            tracing::warn!(channel.id = %channel, "what the channel had in flight is gone with its stream, which was made anew");
            return None;
        }
        if let Ok(record) = serde_json::from_slice::<Self>(value)
            && matches!(record.v, VERSION | EDIT_VERSION)
        {
            return Some(record);
        }
        metrics::counter!("sentry_bot_records_unreadable_total").increment(1);
        tracing::error!(channel.id = %channel, "what the channel had in flight was written down by another version of this program");
        let Foreign { state, runs } = serde_json::from_slice(value).ok()?;
        let cause = Cause::new(Reason::Unreadable, "it was in flight under another version of the bot");
        let record = Self::dead(&BTreeSet::new(), cause.if_sent(true));
        let state = if state == "posted" { State::Posted } else { record.state };
        Some(Self { state, runs, ..record })
    }

    /// What a successor does with it. The alerts of a post are removed only
    /// after Discord confirmed it, the first one first.
    pub(crate) fn resume(&self, first_stands: bool) -> Resume {
        match &self.state {
            State::Sending if first_stands => Resume::Repeat,
            State::Sending | State::Posted => Resume::Remove,
            State::Dead(cause) => Resume::Bury(cause.clone()),
        }
    }

    /// The sequence of its first alert.
    pub(crate) fn first(&self) -> Option<u64> {
        self.runs.first().map(|(distance, _)| *distance)
    }

    /// The sequences of its alerts.
    pub(crate) fn sequences(&self) -> BTreeSet<u64> {
        let mut last = 0;
        let runs = self.runs.iter().map(|(distance, length)| {
            let first = distance.saturating_add(last);
            last = first.saturating_add(length.saturating_sub(1));
            first..=last
        });
        runs.flatten().collect()
    }
}

fn runs_of(sequences: &BTreeSet<u64>) -> Vec<(u64, u64)> {
    let mut runs: Vec<(u64, u64)> = Vec::new();
    let mut last = 0;
    for &sequence in sequences {
        match runs.last_mut() {
            Some((_, length)) if last + 1 == sequence => *length += 1,
            _ => runs.push((sequence - last, 1)),
        }
        last = sequence;
    }
    runs
}

/// The sequences as a log line shows them: `3-7,9`, cut where it grows long.
pub(crate) fn log_ids(sequences: &BTreeSet<u64>) -> String {
    const MAX_RUNS: usize = 16;
    let mut first = 0;
    let mut runs: Vec<String> = Vec::new();
    for (distance, length) in runs_of(sequences) {
        first += distance;
        let last = first + (length - 1);
        runs.push(if length == 1 { first.to_string() } else { format!("{first}-{last}") });
        first = last;
    }
    if runs.len() > MAX_RUNS {
        runs.truncate(MAX_RUNS);
        runs.push("…".to_owned());
    }
    runs.join(",")
}

/// The nonce of a post: the same for the same content, and different for any
/// other, also after the stream was made anew and its sequences repeat.
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

/// Where one channel's record is kept. Every write names the revision that it
/// replaces: whoever no longer owns the channel fails to write, and so to post.
#[derive(Debug)]
pub(crate) struct Journal {
    bucket: kv::Store,
    key: String,
    /// The stream that the record's sequences are of.
    stream: String,
    revision: u64,
    tally: Tally,
}

/// A record as it stands in the journal.
#[derive(Serialize)]
struct Written<'a> {
    stream: &'a str,
    #[serde(flatten)]
    record: &'a Record,
    tally: Tally,
}

impl Journal {
    /// Opens the channel's journal for alerts of this stream (see
    /// `queue::Standing`) and reads the record in it.
    pub(crate) async fn open(
        bucket: kv::Store,
        channel: ChannelId,
        stream: String,
    ) -> anyhow::Result<(Self, Option<Record>)> {
        let key = channel.to_string();
        let entry = leader::entry(&bucket, &key).await.context("cannot read the lane's record")?;
        let revision = entry.as_ref().map_or(0, |entry| entry.revision);
        let value = entry.and_then(|entry| entry.value);
        let tally = value.as_deref().map(Tally::read).unwrap_or_default();
        let record = value.and_then(|value| Record::read(&value, channel, &stream));
        Ok((Self { bucket, key, stream, revision, tally }, record))
    }

    /// Replaces the record of a post by its confirmation, and counts it.
    ///
    /// # Errors
    /// As of [`Self::write`].
    pub(crate) async fn write_posted(&mut self, record: &mut Record) -> anyhow::Result<()> {
        record.state = State::Posted;
        self.tally.count(record.sequences().len(), record.since_ms.1);
        self.write(record).await
    }

    /// Replaces the record.
    ///
    /// # Errors
    /// When NATS is away, or another owner wrote since: open it again.
    pub(crate) async fn write(&mut self, record: &Record) -> anyhow::Result<()> {
        let written = Written { stream: &self.stream, record, tally: self.tally };
        let value = serde_json::to_vec(&written).context("cannot encode the lane's record")?;
        self.revision = self
            .bucket
            .update(&self.key, value.into(), self.revision)
            .await
            .context("cannot write the lane's record")?;
        Ok(())
    }

    /// Forgets the record of a channel for which nothing waits. What was counted
    /// stays.
    pub(crate) async fn clear(mut self) -> anyhow::Result<()> {
        if self.tally != Tally::default() {
            let nothing = Record::new(
                &BTreeSet::new(),
                BTreeSet::new(),
                Vec::new(),
                (0, 0),
                0,
                false,
                serde_json::Value::Null,
            );
            return self.write(&Record { state: State::Posted, ..nothing }).await;
        }
        if self.revision > 0 {
            self.bucket
                .purge_expect_revision(&self.key, Some(self.revision))
                .await
                .context("cannot clear the lane's record")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_keeps_its_sequences_as_runs() {
        let sequences = BTreeSet::from([1, 2, 3, 7, 9, 10]);
        let record =
            Record::new(&sequences, BTreeSet::new(), Vec::new(), (0, 0), 1, true, serde_json::Value::Null);
        assert_eq!(record.runs, [(1, 3), (4, 1), (2, 2)]);
        assert_eq!(record.sequences(), sequences);
        assert_eq!(record.first(), Some(1));
    }

    #[test]
    fn a_log_line_names_sequences_in_few_characters() {
        assert_eq!(log_ids(&BTreeSet::from([1, 2, 3, 7, 9, 10])), "1-3,7,9-10");
        let scattered = (0..1_000).map(|number| 2 * number).collect();
        assert!(log_ids(&scattered).len() < 60, "{}", log_ids(&scattered));
    }

    #[test]
    fn another_versions_record_is_taken_for_what_it_says_and_never_for_an_error() {
        let channel = ChannelId::new(1);
        let record =
            Record::new(&BTreeSet::from([5, 6]), BTreeSet::new(), Vec::new(), (0, 0), 1, true, "x".into());
        let mut json = serde_json::to_value(&record).expect("it encodes");
        json["v"] = 3.into();
        let read = |json: &serde_json::Value| Record::read(json.to_string().as_bytes(), channel, "now");
        let dead = read(&json).expect("its alerts are known");
        assert_eq!(dead.sequences(), BTreeSet::from([5, 6]));
        assert!(matches!(dead.resume(true), Resume::Bury(cause) if cause.may_have_been_posted));
        json["state"] = "posted".into();
        assert_eq!(read(&json).expect("its alerts are known").resume(true), Resume::Remove);
        assert_eq!(read(&serde_json::json!({"v": 3})), None);
        assert_eq!(Record::read(b"garbage", channel, "now"), None);
    }

    #[test]
    fn a_record_is_of_no_use_once_its_stream_was_made_anew() {
        let record =
            Record::new(&BTreeSet::from([5]), BTreeSet::new(), Vec::new(), (0, 0), 1, true, "x".into());
        let written = Written { stream: "then", record: &record, tally: Tally::default() };
        let written = serde_json::to_vec(&written).expect("it encodes");
        let channel = ChannelId::new(1);
        assert_eq!(Record::read(&written, channel, "then"), Some(record.clone()));
        assert_eq!(Record::read(&written, channel, "now"), None);
        let older = serde_json::to_vec(&record).expect("it encodes");
        assert_eq!(Record::read(&older, channel, "now"), Some(record));
    }

    #[test]
    fn a_record_from_before_trust_was_written_down_is_read_as_it_was() {
        let trusts = vec![(Trust::None, 5), (Trust::Token("1a2b".to_owned()), 7)];
        let record = Record::new(&BTreeSet::from([5]), BTreeSet::new(), trusts, (5, 7), 1, true, "x".into());
        let mut json = serde_json::to_value(&record).expect("it encodes");
        let read =
            |json: &serde_json::Value| Record::read(json.to_string().as_bytes(), ChannelId::new(1), "now");
        assert_eq!(read(&json), Some(record.clone()));
        json.as_object_mut().expect("an object").remove("trusts");
        assert_eq!(read(&json), Some(Record { trusts: Vec::new(), ..record }));
    }

    #[test]
    fn an_edit_is_read_as_an_edit_and_an_older_build_does_not_take_it_for_a_post() {
        let post =
            Record::new(&BTreeSet::from([5]), BTreeSet::new(), Vec::new(), (0, 0), 0, true, "x".into());
        let edit = post.editing(7).showing(Shown::new(600, Vec::new()));
        let json = serde_json::to_vec(&edit).expect("it encodes");
        assert_eq!(Record::read(&json, ChannelId::new(1), "now"), Some(edit.clone()));
        assert_ne!(edit.v, VERSION);
    }

    #[test]
    fn the_record_of_a_full_backlog_that_alternates_with_others_fits_a_message_of_nats() {
        let full = shared::settings::MAX_CHANNEL_BACKLOG as u64;
        let sequences: BTreeSet<u64> = (0..full).map(|n| 9_000_000_000 + 2 * n).collect();
        let record =
            Record::new(&sequences, BTreeSet::new(), Vec::new(), (0, 0), 10, true, "x".repeat(60_000).into());
        let encoded = serde_json::to_vec(&record).expect("it encodes");
        assert!(encoded.len() < 1 << 20, "{}", encoded.len());
    }

    #[test]
    fn a_nonce_depends_on_channel_alerts_and_content_and_fits_discord() {
        let content = [serde_json::json!({"title": "a"})];
        let first = nonce(ChannelId::new(1), &BTreeSet::from([1]), &content);
        assert_eq!(first.len(), NONCE_CHARS);
        assert_eq!(first, nonce(ChannelId::new(1), &BTreeSet::from([1]), &content));
        assert_ne!(first, nonce(ChannelId::new(2), &BTreeSet::from([1]), &content));
        assert_ne!(first, nonce(ChannelId::new(1), &BTreeSet::from([2]), &content));
        assert_ne!(first, nonce(ChannelId::new(1), &BTreeSet::from([1]), &[]));
    }
}
