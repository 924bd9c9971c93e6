//! When a shard may identify, over all pods. NATS has a key for each remainder
//! of the shard id by `max_concurrency`, and it is taken for as long as no
//! other shard may.

use std::{collections::HashMap, sync::Arc, time::Duration};

use anyhow::Context as _;
use bytes::Bytes;
use tokio::{
    sync::{Mutex, OwnedMutexGuard},
    time::{Instant, sleep, sleep_until},
};

use crate::kv::{Bucket, Lifetime, WriteError};

/// Discord takes `max_concurrency` IDENTIFYs in this time, one for each
/// remainder of shard id by `max_concurrency`.
const SPACING: Duration = Duration::from_secs(5);
/// Added, since only Discord's clock counts.
const SAFETY: Duration = Duration::from_millis(100);
/// For other pods, which see a key that is gone: the next whole second after both.
const SPENT: Duration = Duration::from_secs(6);
/// How long a slot is kept for a connection that is being made.
const TAKEN: Duration = Duration::from_secs(15);
/// How often to check whether another pod's slot is free again.
const CHECK_EVERY: Duration = Duration::from_millis(200);

/// The moments at which shards may identify.
#[derive(Debug)]
pub(super) struct IdentifySlots {
    bucket: Arc<Bucket>,
    turns: Mutex<HashMap<u32, Arc<Mutex<Turn>>>>,
}

/// This process's last use of a slot.
#[derive(Debug, Default)]
struct Turn {
    /// The key's revision then, and from when on it may be used again.
    last: Option<(u64, Instant)>,
}

/// The right to identify once, from now on. Nobody else has it meanwhile, so
/// that a slow connection cannot bring two IDENTIFYs close together.
#[derive(Debug)]
pub(super) struct IdentifySlot {
    bucket: Arc<Bucket>,
    key: String,
    /// Set until it is spent.
    revision: Option<u64>,
    turn: OwnedMutexGuard<Turn>,
}

impl IdentifySlots {
    pub(super) fn new(bucket: Bucket) -> Self {
        Self { bucket: Arc::new(bucket), turns: Mutex::default() }
    }

    /// Waits until `shard` may identify.
    pub(super) async fn take(&self, shard: u32, max_concurrency: u32) -> IdentifySlot {
        let number = shard % max_concurrency.max(1);
        let turn = Arc::clone(self.turns.lock().await.entry(number).or_default());
        let mut turn = turn.lock_owned().await;
        let key = format!("identify.{number}");
        let mut expected = 0;
        if let Some((revision, next)) = turn.last.take() {
            sleep_until(next).await;
            expected = revision;
        }
        loop {
            match self.bucket.write(&key, Bytes::new(), Some(expected), Lifetime::For(TAKEN)).await {
                Ok(revision) => {
                    let bucket = self.bucket.clone();
                    return IdentifySlot { bucket, key, revision: Some(revision), turn };
                }
                Err(WriteError::Conflict) if expected > 0 => expected = 0,
                Err(WriteError::Conflict) => sleep(CHECK_EVERY).await,
                Err(WriteError::Failed(error)) => {
                    tracing::debug!("cannot ask for an identify slot: {error:#}");
                    sleep(CHECK_EVERY).await;
                }
            }
        }
    }
}

impl IdentifySlot {
    /// IDENTIFY is about to be sent. A slot that is dropped without was not used.
    ///
    /// # Errors
    /// When it took too long, and the slot may be another's: take one again.
    pub(super) async fn spend(mut self) -> anyhow::Result<()> {
        let taken = self.revision.take();
        let spent = self.bucket.write(&self.key, Bytes::new(), taken, Lifetime::For(SPENT)).await;
        let revision = spent.context("cannot use the identify slot")?;
        self.turn.last = Some((revision, Instant::now() + SPACING + SAFETY));
        Ok(())
    }
}

impl Drop for IdentifySlot {
    fn drop(&mut self) {
        let Some(revision) = self.revision else { return };
        let (bucket, key) = (self.bucket.clone(), std::mem::take(&mut self.key));
        // The shortest life that there is; only if it is still ours.
        tokio::spawn(async move {
            let _ =
                bucket.write(&key, Bytes::new(), Some(revision), Lifetime::For(Duration::from_secs(1))).await;
        });
    }
}
