//! The journal of write-ahead records: one key for each channel in the bucket
//! `lanes`.

use std::{collections::BTreeMap, sync::Arc};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use shared::ChannelId;

use super::{
    ports::KeyValue,
    record::{Record, RecordState},
};
use crate::{
    kv::Entry,
    rules::{
        ChannelRules, Hit,
        counts::{add_hits, kept_hits},
    },
    tally::Tally,
};

/// The place of one channel's record. Every write names the revision that it
/// replaces. So a pod that no longer owns the channel cannot write, and does
/// not post.
pub(crate) struct Journal {
    bucket: Arc<dyn KeyValue>,
    key: String,
    /// The stream that the record's sequences belong to.
    stream: String,
    revision: u64,
    tally: Tally,
    /// How often rules kept an alert that was posted.
    hits: BTreeMap<u64, Hit>,
    /// Whether the channel has a sorting record.
    sorts: bool,
    /// Whether the last record is one of a request that may not be over.
    sends: bool,
}

/// A record as written to the journal.
#[derive(Serialize)]
pub(super) struct JournalEntry<'a> {
    pub(super) stream: &'a str,
    #[serde(flatten)]
    pub(super) record: &'a Record,
    pub(super) tally: Tally,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) hits: &'a BTreeMap<u64, Hit>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) sorts: bool,
}

impl Journal {
    /// Opens the channel's journal for alerts of this stream (see
    /// `queue::SubjectState`) and reads the record in it.
    pub(crate) async fn open(
        bucket: Arc<dyn KeyValue>,
        channel: ChannelId,
        stream: String,
    ) -> anyhow::Result<(Self, Option<Record>)> {
        let key = channel.to_string();
        let entry = bucket.entry(&key).await;
        let Entry { revision, value } = entry.context("cannot read the lane's record")?;
        let tally = value.as_deref().map(Tally::read).unwrap_or_default();
        let hits = value.as_deref().map(kept_hits).unwrap_or_default();
        let sorts = value.as_deref().is_some_and(sorts);
        let record = value.and_then(|value| Record::read(&value, channel, &stream));
        let sends = record.as_ref().is_some_and(|record| record.state == RecordState::Sending);
        Ok((Self { bucket, key, stream, revision, tally, hits, sorts, sends }, record))
    }

    /// Whether the channel has a sorting record. Only then it must be read when a
    /// lane opens.
    pub(crate) const fn sorts(&self) -> bool {
        self.sorts
    }

    /// Notes that the channel has a sorting record, before the first is written.
    ///
    /// # Errors
    /// As of [`Self::write`].
    pub(crate) async fn note_sorts(&mut self) -> anyhow::Result<()> {
        self.sorts = true;
        self.write(&Record::nothing()).await
    }

    /// Forgets the hits of rules that are gone. The next write keeps only the others.
    pub(crate) fn forget_hits(&mut self, rules: &ChannelRules) {
        self.hits.retain(|id, _| rules.rules.iter().any(|rule| rule.id == *id));
    }

    /// Replaces the record of a post by its confirmation, with the message's id
    /// if known, and counts it.
    ///
    /// # Errors
    /// As of [`Self::write`].
    pub(crate) async fn write_posted(
        &mut self,
        record: &mut Record,
        message: Option<u64>,
    ) -> anyhow::Result<()> {
        (record.state, record.message) = (RecordState::Posted, message);
        // The line about a mute's end is no alert.
        if record.tells.is_empty() {
            self.tally.count(record.sequences().len(), record.since_ms.1);
        }
        let last_ms = chrono::Utc::now().timestamp_millis();
        let kept = record.kept_by.iter().map(|(rule, count)| (*rule, Hit { count: *count, last_ms }));
        add_hits(&mut self.hits, &kept.collect());
        self.write(record).await
    }

    /// Replaces the record.
    ///
    /// # Errors
    /// When NATS is away, or when another owner has written since. Open it
    /// again then.
    pub(crate) async fn write(&mut self, record: &Record) -> anyhow::Result<()> {
        let Self { stream, tally, hits, sorts, .. } = &*self;
        let written = JournalEntry { stream, record, tally: *tally, hits, sorts: *sorts };
        let value = serde_json::to_vec(&written).context("cannot encode the lane's record")?;
        self.revision = self
            .bucket
            .update(&self.key, value.into(), self.revision)
            .await
            .context("cannot write the lane's record")?;
        self.sends = record.state == RecordState::Sending;
        Ok(())
    }

    /// Forgets a request without a result, before one of its alerts leaves otherwise. A
    /// successor would take that for a sign that Discord shows them all.
    ///
    /// # Errors
    /// As of [`Self::write`].
    pub(crate) async fn settle(&mut self) -> anyhow::Result<()> {
        if self.sends { self.write(&Record::nothing()).await } else { Ok(()) }
    }

    /// Forgets the record of a channel without waiting alerts. The counts stay.
    pub(crate) async fn clear(mut self) -> anyhow::Result<()> {
        if self.tally != Tally::default() || self.sorts {
            return self.write(&Record::nothing()).await;
        }
        if self.revision > 0 {
            self.bucket
                .purge_revision(&self.key, self.revision)
                .await
                .context("cannot clear the lane's record")?;
        }
        Ok(())
    }
}

/// Whether this lane's record, of whichever version, says that the channel has a
/// sorting record.
fn sorts(record: &[u8]) -> bool {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Sorts {
        sorts: bool,
    }
    serde_json::from_slice::<Sorts>(record).unwrap_or_default().sorts
}
