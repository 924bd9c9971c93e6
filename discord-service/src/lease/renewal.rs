//! A pod's own key in NATS: a sign of life that must be given again and again.

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
use crate::kv::{Bucket, Lifetime, WriteError};

/// What the keys of pods begin with.
pub(super) const PODS: &str = "pod";

/// Renews one life's key.
pub(super) struct Renewal {
    pub(super) bucket: Bucket,
    pub(super) ttl: Duration,
    pub(super) fence: Fence,
    pub(super) revision: u64,
    pub(super) own: watch::Receiver<PodState>,
}

impl Renewal {
    /// Returns when the key is gone.
    pub(super) async fn until_lost(&mut self, joined: &(impl Fn(Result<(), &str>) + Send + Sync)) {
        let mut pause = self.ttl / 10;
        loop {
            tokio::select! {
                () = sleep(pause) => {}
                Ok(()) = self.own.changed() => {}
            }
            // In vain, it is tried again soon: while NATS elects a leader, which takes
            // it longer than a pause, every moment of the rest counts.
            pause = self.ttl / 20;
            match announce(&self.bucket, self.ttl, &self.fence, &self.own, self.revision).await {
                Ok(revision) => {
                    self.revision = revision;
                    pause = self.ttl / 10;
                }
                Err(WriteError::Conflict) => match self.bucket.entry(&key_of(self.fence.pod())).await {
                    // An earlier renewal was stored after all.
                    Ok(Some(entry)) => self.revision = entry.revision,
                    Ok(None) => return,
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

/// Writes a pod's own key, and lets the pod act until a fifth of the key's life
/// before its end. It counts from before the write, because NATS counts from
/// after it.
pub(super) async fn announce(
    bucket: &Bucket,
    ttl: Duration,
    fence: &Fence,
    own: &watch::Receiver<PodState>,
    revision: u64,
) -> Result<u64, WriteError> {
    let value = serde_json::to_vec(&*own.borrow()).context("cannot encode the pod's key")?;
    let since = (Instant::now(), SystemTime::now());
    let revision =
        bucket.write(&key_of(fence.pod()), value.into(), Some(revision), Lifetime::For(ttl)).await?;
    fence.renew(since, ttl - ttl / 5);
    Ok(revision)
}

/// The key of a pod's own.
pub(super) fn key_of(pod: &PodId) -> String {
    format!("{PODS}.{pod}")
}
