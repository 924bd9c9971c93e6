//! What each row of `channel-list` notes of its channel: since when it is secured. So
//! the loss of the bucket `channel-trust` opens no channel: where the two disagree,
//! nobody knows what the channel trusts.

use anyhow::{Context as _, bail};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use shared::{ChannelId, trust::ChannelTrust};

use super::super::{WRITE_ATTEMPTS, after_conflict};
use crate::kv::Bucket;

/// The value of a row. One of an older build has none.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Note {
    /// In milliseconds since 1970; nothing where it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    secured_ms: Option<i64>,
    /// What a newer build notes beside it.
    #[serde(flatten)]
    more: Map<String, Value>,
}

impl Note {
    pub(super) fn new(secured_ms: Option<i64>) -> Self {
        Self { secured_ms, more: Map::new() }
    }

    /// Empty if there is nothing to note about the channel.
    pub(super) fn encode(&self) -> anyhow::Result<Bytes> {
        if *self == Self::default() {
            return Ok(Bytes::new());
        }
        Ok(serde_json::to_vec(self).context("cannot encode a note")?.into())
    }
}

/// The rows of one channel: key, revision and note of each.
async fn rows(bucket: &Bucket, channel: ChannelId) -> anyhow::Result<Vec<(String, u64, Note)>> {
    let mut rows = Vec::new();
    for key in bucket.keys(&format!("{channel}.*")).await? {
        let entry = bucket.entry(&key).await?;
        // It was revoked at this moment.
        if entry.revision == 0 {
            continue;
        }
        let value = entry.value.filter(|value| !value.is_empty());
        let note = match value {
            Some(value) => serde_json::from_slice(&value).context("cannot read a channel's note")?,
            None => Note::default(),
        };
        rows.push((key, entry.revision, note));
    }
    Ok(rows)
}

/// Since when the channel is secured, if a row notes that it is.
pub(super) async fn secured_since(bucket: &Bucket, channel: ChannelId) -> anyhow::Result<Option<i64>> {
    Ok(rows(bucket, channel).await?.iter().filter_map(|(_, _, note)| note.secured_ms).min())
}

/// Since when the channel is secured, as its record says.
pub(super) fn since(trust: &ChannelTrust) -> Option<i64> {
    trust.secured.then_some(trust.secured_ms)
}

/// Notes in every row since when the channel is secured.
pub(super) async fn write(
    bucket: &Bucket,
    channel: ChannelId,
    secured_ms: Option<i64>,
) -> anyhow::Result<()> {
    for attempt in 0..WRITE_ATTEMPTS {
        if write_once(bucket, channel, secured_ms).await? {
            return Ok(());
        }
        after_conflict(attempt).await;
    }
    bail!("others kept changing the rows of channel {channel}")
}

/// `false` when somebody else wrote meanwhile.
async fn write_once(bucket: &Bucket, channel: ChannelId, secured_ms: Option<i64>) -> anyhow::Result<bool> {
    for (key, revision, note) in rows(bucket, channel).await? {
        if note.secured_ms == secured_ms {
            continue;
        }
        if !bucket.replace(&key, Note { secured_ms, ..note }.encode()?, revision).await? {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests;
