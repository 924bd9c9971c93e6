//! When a shard may identify.

use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio::{
    sync::{Mutex, OwnedMutexGuard},
    time::{Instant, sleep_until},
};

/// Discord takes `max_concurrency` IDENTIFYs in this time, one for each
/// remainder of shard id by `max_concurrency`.
const SPACING: Duration = Duration::from_secs(5);
/// Added, since only Discord's clock counts.
const SAFETY: Duration = Duration::from_millis(100);

/// The moments at which this process's shards may identify.
#[derive(Debug, Default)]
pub(super) struct Slots(Mutex<HashMap<u32, Arc<Mutex<Instant>>>>);

/// The right to identify once, from now on. Nobody else has it meanwhile, so
/// that a slow connection cannot bring two IDENTIFYs close together.
#[derive(Debug)]
pub(super) struct Slot {
    /// From when on the next one may.
    next: OwnedMutexGuard<Instant>,
}

impl Slots {
    /// Waits until `shard` may identify.
    pub(super) async fn take(&self, shard: u32, max_concurrency: u32) -> Slot {
        let key = shard % max_concurrency.max(1);
        let next = Arc::clone(
            self.0.lock().await.entry(key).or_insert_with(|| Arc::new(Mutex::new(Instant::now()))),
        );
        let next = next.lock_owned().await;
        sleep_until(*next).await;
        Slot { next }
    }
}

impl Slot {
    /// IDENTIFY is being sent. A slot that is dropped without was not used.
    pub(super) fn spend(mut self) {
        *self.next = Instant::now() + SPACING + SAFETY;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn identifies_of_one_key_are_five_seconds_apart_and_others_are_not() {
        let slots = Slots::default();
        let start = Instant::now();
        slots.take(0, 2).await.spend();
        slots.take(1, 2).await.spend();
        assert!(start.elapsed() < Duration::from_secs(1));
        slots.take(2, 2).await.spend();
        assert!(start.elapsed() >= SPACING);
        drop(slots.take(3, 0).await);
    }

    #[tokio::test(start_paused = true)]
    async fn a_slot_that_was_not_used_is_free_at_once() {
        let slots = Slots::default();
        let start = Instant::now();
        drop(slots.take(0, 1).await);
        slots.take(1, 1).await.spend();
        assert!(start.elapsed() < Duration::from_secs(1));
    }
}
