//! Channels in which Discord does not let the bot post, remembered so that
//! their alerts cost Discord no further request.

use std::sync::Arc;

use anyhow::Context as _;
use async_nats::jetstream::kv;
use shared::ChannelId;

use super::ports::Bucket;

/// Whether one channel is blocked, and why. Lifted from outside with [`lift`].
pub(crate) struct Blockade {
    bucket: Arc<dyn Bucket>,
    key: String,
    set: bool,
}

impl Blockade {
    pub(crate) async fn open(bucket: Arc<dyn Bucket>, channel: ChannelId) -> anyhow::Result<Self> {
        let mut blockade = Self { bucket, key: key(channel), set: true };
        blockade.read().await?;
        Ok(blockade)
    }

    /// Why the channel is blocked, if it is. Only the channel's lane sets it,
    /// so NATS is asked only while it stands. The bucket's leader is asked: once
    /// lifted, a blockade must not make another dead letter.
    pub(crate) async fn read(&mut self) -> anyhow::Result<Option<String>> {
        if !self.set {
            return Ok(None);
        }
        let entry = self.bucket.entry(&self.key).await;
        let why = entry.context("cannot read whether the channel is blocked")?.and_then(|entry| entry.value);
        self.set = why.is_some();
        Ok(why.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }

    pub(crate) async fn set(&mut self, why: &str) -> anyhow::Result<()> {
        self.bucket.put(&self.key, why.to_owned().into()).await.context("cannot block the channel")?;
        self.set = true;
        Ok(())
    }
}

/// Why the channel is blocked, if it is.
///
/// # Errors
/// When NATS is away.
pub async fn of(bucket: &kv::Store, channel: ChannelId) -> anyhow::Result<Option<String>> {
    let why = bucket.get(key(channel)).await.context("cannot read whether the channel is blocked")?;
    Ok(why.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
}

/// Lets the channel be tried again.
///
/// # Errors
/// When NATS is away.
pub async fn lift(bucket: &kv::Store, channel: ChannelId) -> anyhow::Result<()> {
    bucket.purge(key(channel)).await.context("cannot unblock the channel")
}

fn key(channel: ChannelId) -> String {
    format!("{channel}.blocked")
}
