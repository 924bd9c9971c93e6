//! A pod's own key in NATS, which the pod must renew again and again.

use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use shared::text::chain;
use tokio::{
    sync::watch,
    time::{Instant, sleep},
};

use super::{
    fence::Fence,
    owner_table::{PodId, PodState},
};
use crate::kv::{Bucket, Entry, Lifetime, WriteError};

/// The first token of the pods' keys.
pub(super) const PODS: &str = "pod";

/// Renews the key of one life.
pub(super) struct Renewal {
    pub(super) bucket: Bucket,
    pub(super) ttl: Duration,
    pub(super) fence: Fence,
    /// The key's revision; 0 before the first write.
    pub(super) revision: u64,
    pub(super) own: watch::Receiver<PodState>,
}

impl Renewal {
    /// Writes the key. The pod may then act until a fifth of the key's life before its
    /// end. That counts from before the write, because NATS counts from after it.
    pub(super) async fn announce(&mut self) -> Result<(), WriteError> {
        let value = serde_json::to_vec(&*self.own.borrow()).context("cannot encode the pod's key")?;
        let since = (Instant::now(), SystemTime::now());
        let (key, lifetime) = (key_of(self.fence.pod()), Lifetime::For(self.ttl));
        self.revision = self.bucket.write(&key, value.into(), Some(self.revision), lifetime).await?;
        self.fence.renew(since, self.ttl - self.ttl / 5);
        Ok(())
    }

    /// Returns when the key is gone.
    pub(super) async fn until_lost(&mut self, joined: &(impl Fn(Result<(), &str>) + Send + Sync)) {
        let mut pause = self.ttl / 10;
        loop {
            tokio::select! {
                () = sleep(pause) => {}
                Ok(()) = self.own.changed() => {}
            }
            // A failed renewal is repeated soon. While NATS elects a leader, which takes
            // longer than a pause, every moment that is left counts.
            pause = self.ttl / 20;
            match self.announce().await {
                Ok(()) => pause = self.ttl / 10,
                Err(WriteError::Conflict) => match self.bucket.entry(&key_of(self.fence.pod())).await {
                    Ok(Entry { revision: 0, .. }) => return,
                    // An earlier renewal was stored after all.
                    Ok(entry) => self.revision = entry.revision,
                    Err(error) => failed_to_renew(&error, joined),
                },
                Err(WriteError::Failed(error)) => failed_to_renew(&error, joined),
            }
        }
    }
}

fn failed_to_renew(error: &anyhow::Error, joined: &impl Fn(Result<(), &str>)) {
    metrics::counter!("sentry_bot_lease_renew_failures_total").increment(1);
    tracing::debug!("cannot renew the leases: {error:#}");
    joined(Err(&format!("cannot renew the leases: {}", chain(error))));
}

/// The key of a pod's own.
pub(super) fn key_of(pod: &PodId) -> String {
    format!("{PODS}.{pod}")
}
