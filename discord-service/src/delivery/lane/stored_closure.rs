//! The note in the bucket `lanes` that one channel is closed.

use std::sync::Arc;

use anyhow::Context as _;
use shared::ChannelId;

use crate::{
    closure::{self, Closure},
    delivery::ports::KeyValue,
};

/// The closure of one channel. Others make it due with [`closure::lift`].
pub(super) struct StoredClosure {
    bucket: Arc<dyn KeyValue>,
    key: String,
    known: Option<Closure>,
}

impl StoredClosure {
    pub(super) async fn open(bucket: Arc<dyn KeyValue>, channel: ChannelId) -> anyhow::Result<Self> {
        let mut stored = Self { bucket, key: closure::key(channel), known: None };
        stored.refresh().await?;
        Ok(stored)
    }

    /// The closure, if there is one. Only the channel's lane creates it, so
    /// NATS is asked only while there is one. The leader answers, because a
    /// lifted closure must not make another dead letter.
    pub(super) async fn read(&mut self) -> anyhow::Result<Option<&Closure>> {
        if self.known.is_some() {
            self.refresh().await?;
        }
        Ok(self.known.as_ref())
    }

    /// The closure as it was last read.
    pub(super) const fn known(&self) -> Option<&Closure> {
        self.known.as_ref()
    }

    async fn refresh(&mut self) -> anyhow::Result<()> {
        let entry =
            self.bucket.entry(&self.key).await.context("cannot read whether the channel is closed")?;
        self.known = entry.value.map(|value| Closure::read(&value));
        Ok(())
    }

    pub(super) async fn set(&mut self, closure: Closure) -> anyhow::Result<()> {
        self.bucket
            .put(&self.key, closure.encode()?)
            .await
            .context("cannot note that the channel is closed")?;
        self.known = Some(closure);
        Ok(())
    }

    pub(super) async fn clear(&mut self) -> anyhow::Result<()> {
        self.bucket.purge(&self.key).await.context("cannot open the channel")?;
        self.known = None;
        Ok(())
    }
}
