//! What each row of `channel-list` notes of its channel: since when it is secured, and
//! whether it has rules. So the loss of the bucket `channel-trust` opens no channel, and
//! the loss of `channel-rules` shows no alert that a rule drops. Where a note disagrees,
//! nobody knows what the channel demands.

use std::ops::Not;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use shared::{ChannelId, trust::ChannelTrust};

use super::super::{WRITE_ATTEMPTS, after_conflict};
use crate::kv::Bucket;

/// The value of a row. One of an older build has none.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Note {
    /// Since when the channel is secured, in milliseconds since 1970; nothing where it is
    /// not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) secured_ms: Option<i64>,
    /// Whether it has rules.
    #[serde(skip_serializing_if = "Not::not")]
    pub(super) rules: bool,
    /// What a newer build notes beside it.
    #[serde(flatten)]
    more: Map<String, Value>,
}

impl Note {
    pub(super) fn new(secured_ms: Option<i64>, rules: bool) -> Self {
        Self { secured_ms, rules, more: Map::new() }
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

/// Whether a row notes that the channel has rules.
pub(super) async fn has_rules(bucket: &Bucket, channel: ChannelId) -> anyhow::Result<bool> {
    Ok(rows(bucket, channel).await?.iter().any(|(_, _, note)| note.rules))
}

/// Since when the channel is secured, as its record says.
pub(super) fn since(trust: &ChannelTrust) -> Option<i64> {
    trust.secured.then_some(trust.secured_ms)
}

/// Changes the note in every row of the channel.
pub(super) async fn change(
    bucket: &Bucket,
    channel: ChannelId,
    edit: impl Fn(&mut Note),
) -> anyhow::Result<()> {
    for attempt in 0..WRITE_ATTEMPTS {
        if change_once(bucket, channel, &edit).await? {
            return Ok(());
        }
        after_conflict(attempt).await;
    }
    bail!("others kept changing the rows of channel {channel}")
}

/// `false` when somebody else wrote meanwhile.
async fn change_once(bucket: &Bucket, channel: ChannelId, edit: impl Fn(&mut Note)) -> anyhow::Result<bool> {
    for (key, revision, note) in rows(bucket, channel).await? {
        let mut latest = note.clone();
        edit(&mut latest);
        if latest != note && !bucket.replace(&key, latest.encode()?, revision).await? {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests;
