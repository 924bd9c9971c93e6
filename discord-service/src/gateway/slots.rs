//! When a shard may identify.

use std::{collections::HashMap, time::Duration};

use tokio::{
    sync::Mutex,
    time::{Instant, sleep_until},
};

/// Discord takes `max_concurrency` IDENTIFYs in this time, one for each
/// remainder of shard id by `max_concurrency`.
const SPACING: Duration = Duration::from_secs(5);
/// Added, since only Discord's clock counts.
const SAFETY: Duration = Duration::from_millis(100);

/// The moments at which this process's shards may identify.
#[derive(Debug, Default)]
pub(super) struct Slots(Mutex<HashMap<u32, Instant>>);

impl Slots {
    /// Waits until `shard` may identify, and counts that it does.
    pub(super) async fn take(&self, shard: u32, max_concurrency: u32) {
        let key = shard % max_concurrency.max(1);
        let moment = {
            let mut next = self.0.lock().await;
            let now = Instant::now();
            let moment = next.get(&key).copied().unwrap_or(now).max(now);
            next.insert(key, moment + SPACING + SAFETY);
            moment
        };
        sleep_until(moment).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn shards_of_one_key_are_five_seconds_apart_and_others_are_not() {
        let slots = Slots::default();
        let start = Instant::now();
        slots.take(0, 2).await;
        slots.take(1, 2).await;
        assert!(start.elapsed() < Duration::from_secs(1));
        slots.take(2, 2).await;
        assert!(start.elapsed() >= SPACING);
        slots.take(3, 0).await;
    }
}
