//! What channels trust, in the bucket `channel-trust`: a key for each channel,
//! so that no change waits for another channel. It is written only over the
//! revision that was read.

use anyhow::Context as _;
use shared::{ChannelId, trust::ChannelTrust};

use super::super::understood;
use crate::kv::{Bucket, Entry};

/// What the key holds, and the revision that a write must follow (0: it was never
/// written).
pub(super) async fn read(bucket: &Bucket, channel: ChannelId) -> anyhow::Result<(Option<ChannelTrust>, u64)> {
    let Entry { revision, value } = bucket.entry(&channel.to_string()).await?;
    // Empty: the mark of a key that somebody deleted by hand.
    let trust = match value.filter(|value| !value.is_empty()) {
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
    bucket.replace(&channel.to_string(), value.into(), revision).await.context("cannot write the trust")
}
