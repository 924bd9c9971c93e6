//! Reads and changes what is kept of closed channels, from outside their lanes.

use anyhow::Context as _;
use shared::ChannelId;

use super::Closure;
use crate::kv::{Bucket, Entry, WriteError};

/// What is known of the channel, if it is closed or was and its dead letters follow.
///
/// # Errors
/// When NATS is away.
pub async fn of(bucket: &Bucket, channel: ChannelId) -> anyhow::Result<Option<Closure>> {
    let value = bucket.get(&key(channel)).await.context("cannot read whether the channel is closed")?;
    Ok(value.map(|bytes| Closure::read(&bytes)))
}

/// The channels that have a note.
pub(crate) async fn all(bucket: &Bucket) -> anyhow::Result<Vec<ChannelId>> {
    let mut closed = Vec::new();
    for key in bucket.keys("*.blocked").await? {
        let channel = key.strip_suffix(".blocked").and_then(|id| id.parse().ok());
        // What was lifted leaves a mark behind.
        if let Some(channel) = channel
            && bucket.get(&key).await?.is_some()
        {
            closed.push(channel);
        }
    }
    Ok(closed)
}

/// Lets the next alert of the channel be a try. Once it is shown, dead letters follow.
///
/// # Errors
/// When NATS is away.
pub async fn lift(bucket: &Bucket, channel: ChannelId) -> anyhow::Result<()> {
    let cannot = "cannot open the channel";
    loop {
        let entry = bucket.entry(&key(channel)).await.context(cannot)?;
        let Some(Entry { revision, value: Some(value) }) = entry else { return Ok(()) };
        let closure = Closure::read(&value);
        if !closure.is_closed() {
            return Ok(());
        }
        match bucket.update(&key(channel), closure.due().encode()?, revision).await {
            Ok(_) => return Ok(()),
            // The lane has tried it meanwhile.
            Err(WriteError::Conflict) => {}
            Err(error) => return Err(error).context(cannot),
        }
    }
}

/// The key of what is kept of the channel.
pub(crate) fn key(channel: ChannelId) -> String {
    format!("{channel}.blocked")
}
