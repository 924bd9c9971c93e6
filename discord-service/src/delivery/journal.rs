//! The journal of write-ahead records: one key for each channel in the bucket
//! `lanes`.

use std::sync::Arc;

use anyhow::Context as _;
use serde::Serialize;
use shared::ChannelId;

use super::{
    ports::KeyValue,
    record::{Record, RecordState},
};
use crate::{kv::Entry, tally::Tally};

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
}

/// A record as written to the journal.
#[derive(Serialize)]
pub(super) struct JournalEntry<'a> {
    pub(super) stream: &'a str,
    #[serde(flatten)]
    pub(super) record: &'a Record,
    pub(super) tally: Tally,
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
        let record = value.and_then(|value| Record::read(&value, channel, &stream));
        Ok((Self { bucket, key, stream, revision, tally }, record))
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
        self.tally.count(record.sequences().len(), record.since_ms.1);
        self.write(record).await
    }

    /// Replaces the record.
    ///
    /// # Errors
    /// When NATS is away, or when another owner has written since. Open it
    /// again then.
    pub(crate) async fn write(&mut self, record: &Record) -> anyhow::Result<()> {
        let written = JournalEntry { stream: &self.stream, record, tally: self.tally };
        let value = serde_json::to_vec(&written).context("cannot encode the lane's record")?;
        self.revision = self
            .bucket
            .update(&self.key, value.into(), self.revision)
            .await
            .context("cannot write the lane's record")?;
        Ok(())
    }

    /// Forgets the record of a channel without waiting alerts. The counts stay.
    pub(crate) async fn clear(mut self) -> anyhow::Result<()> {
        if self.tally != Tally::default() {
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
