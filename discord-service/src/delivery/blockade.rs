//! Where it stands which channels are closed: channels in which Discord does not
//! let the bot post, so that their alerts cost Discord no further request.

use std::sync::Arc;

use anyhow::Context as _;
use shared::ChannelId;

use super::{closing::Closing, ports};
use crate::kv::{Bucket, Entry, WriteError};

/// What is known of one channel. Made due from outside with [`lift`].
pub(crate) struct Blockade {
    bucket: Arc<dyn ports::Bucket>,
    key: String,
    known: Option<Closing>,
}

impl Blockade {
    pub(crate) async fn open(bucket: Arc<dyn ports::Bucket>, channel: ChannelId) -> anyhow::Result<Self> {
        let mut blockade = Self { bucket, key: key(channel), known: None };
        blockade.refresh().await?;
        Ok(blockade)
    }

    /// What stands, if anything does. Only the channel's lane writes it, so NATS is
    /// asked only while it stands. The bucket's leader is asked: once lifted, it
    /// must not make another dead letter.
    pub(crate) async fn read(&mut self) -> anyhow::Result<Option<&Closing>> {
        if self.known.is_some() {
            self.refresh().await?;
        }
        Ok(self.known.as_ref())
    }

    /// What stood when it was read last.
    pub(crate) const fn known(&self) -> Option<&Closing> {
        self.known.as_ref()
    }

    async fn refresh(&mut self) -> anyhow::Result<()> {
        let entry =
            self.bucket.entry(&self.key).await.context("cannot read whether the channel is closed")?;
        self.known = entry.and_then(|entry| entry.value).map(|value| Closing::read(&value));
        Ok(())
    }

    pub(crate) async fn set(&mut self, closing: Closing) -> anyhow::Result<()> {
        self.bucket
            .put(&self.key, closing.encode()?)
            .await
            .context("cannot note that the channel is closed")?;
        self.known = Some(closing);
        Ok(())
    }

    pub(crate) async fn lift(&mut self) -> anyhow::Result<()> {
        self.bucket.purge(&self.key).await.context("cannot open the channel")?;
        self.known = None;
        Ok(())
    }
}

/// What is known of the channel, if it is closed or was and its dead letters follow.
///
/// # Errors
/// When NATS is away.
pub async fn of(bucket: &Bucket, channel: ChannelId) -> anyhow::Result<Option<Closing>> {
    let value = bucket.get(&key(channel)).await.context("cannot read whether the channel is closed")?;
    Ok(value.map(|bytes| Closing::read(&bytes)))
}

/// The channels of which something stands.
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
        let closing = Closing::read(&value);
        if !closing.is_closed() {
            return Ok(());
        }
        match bucket.update(&key(channel), closing.due().encode()?, revision).await {
            Ok(_) => return Ok(()),
            // The lane has tried it meanwhile.
            Err(WriteError::Conflict) => {}
            Err(error) => return Err(error).context(cannot),
        }
    }
}

fn key(channel: ChannelId) -> String {
    format!("{channel}.blocked")
}
