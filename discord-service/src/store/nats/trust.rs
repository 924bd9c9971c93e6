//! What channels trust, in the bucket `channel-trust`: a key for each channel,
//! so that no change waits for another channel. It is written only over the
//! revision that was read.

use anyhow::Context as _;
use shared::{ChannelId, trust::ChannelTrust};

use super::super::understood;
use crate::kv::{Bucket, WriteError};

/// What the key holds, and the revision that a write must follow (0: it was never
/// written).
pub(super) async fn read(bucket: &Bucket, channel: ChannelId) -> anyhow::Result<(Option<ChannelTrust>, u64)> {
    let entry = bucket.entry(&channel.to_string()).await?;
    let revision = entry.as_ref().map_or(0, |entry| entry.revision);
    // Empty: the mark of a key that somebody deleted by hand.
    let trust = match entry.and_then(|entry| entry.value).filter(|value| !value.is_empty()) {
        Some(value) => Some(understood(serde_json::from_slice(&value).context("cannot read the trust")?)?),
        None => None,
    };
    Ok((trust, revision))
}

/// Writes it unless something else was written since the revision: then `false`.
pub(super) async fn write(
    bucket: &Bucket,
    channel: ChannelId,
    trust: &ChannelTrust,
    revision: u64,
) -> anyhow::Result<bool> {
    let value = serde_json::to_vec(trust).context("cannot encode the trust")?;
    match bucket.update(&channel.to_string(), value.into(), revision).await {
        Ok(_) => Ok(true),
        Err(WriteError::Conflict) => Ok(false),
        Err(error) => Err(error).context("cannot write the trust"),
    }
}
