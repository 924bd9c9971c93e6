//! Reads and changes the records of closed channels, for all but their lanes.

use anyhow::Context as _;
use shared::ChannelId;

use super::Closure;
use crate::kv::{Bucket, Entry};

/// The record of the channel, if it is closed, or was and its dead letters follow.
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
        // A record that was removed leaves a mark.
        if let Some(channel) = channel
            && bucket.get(&key).await?.is_some()
        {
            closed.push(channel);
        }
    }
    Ok(closed)
}

/// Makes the next alert of the channel a try. Once Discord shows it, dead letters
/// follow.
///
/// # Errors
/// When NATS is away.
pub async fn lift(bucket: &Bucket, channel: ChannelId) -> anyhow::Result<()> {
    let cannot = "cannot open the channel";
    loop {
        let entry = bucket.entry(&key(channel)).await.context(cannot)?;
        let Entry { revision, value: Some(value) } = entry else { return Ok(()) };
        let closure = Closure::read(&value);
        if !closure.is_closed() {
            return Ok(());
        }
        // Otherwise the lane has tried it meanwhile.
        if bucket.replace(&key(channel), closure.due().encode()?, revision).await.context(cannot)? {
            return Ok(());
        }
    }
}

/// The key of the channel's record.
pub(crate) fn key(channel: ChannelId) -> String {
    format!("{channel}.blocked")
}
