//! What channels trust, in the bucket `channel-trust`: a key per channel, so that
//! no channel's change waits for another's, written only over the revision that
//! was read.

use anyhow::Context as _;
use async_nats::jetstream::{kv, stream::LastRawMessageErrorKind};
use shared::{ChannelId, trust::ChannelTrust};

use super::super::understood;
use crate::leader;

/// What stands there, and the revision that a write must follow (0: nothing ever
/// stood there).
pub(super) async fn read(
    bucket: &kv::Store,
    channel: ChannelId,
) -> anyhow::Result<(Option<ChannelTrust>, u64)> {
    let subject = format!("{}{channel}", bucket.prefix);
    match bucket.stream.get_last_raw_message_by_subject(&subject).await {
        // The mark of a key that somebody deleted by hand.
        Ok(message) if message.payload.is_empty() => Ok((None, message.sequence)),
        Ok(message) => {
            let trust = serde_json::from_slice(&message.payload).context("Failed to read the trust")?;
            Ok((Some(understood(trust)?), message.sequence))
        }
        Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok((None, 0)),
        Err(error) => Err(error).context("Failed to get the trust"),
    }
}

/// Writes it unless something else was written since the revision: then `false`.
pub(super) async fn write(
    bucket: &kv::Store,
    channel: ChannelId,
    trust: &ChannelTrust,
    revision: u64,
) -> anyhow::Result<bool> {
    let value = serde_json::to_vec(trust).context("Failed to encode the trust")?;
    match bucket.update(channel.to_string(), value.into(), revision).await {
        Ok(_) => Ok(true),
        Err(error) if leader::came_second(&error) => Ok(false),
        Err(error) => Err(error).context("Failed to write the trust"),
    }
}
