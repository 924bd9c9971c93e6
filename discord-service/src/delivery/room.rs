//! How many waiting alerts all lanes together keep in memory. Beyond that, a
//! lane keeps its oldest alerts and leaves the others in the stream.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};

/// How many waiting alerts all lanes together keep, at about 260 bytes each.
const ALERTS: usize = 250_000;
/// How many alerts each lane may keep in any case.
const ALWAYS: usize = 64;
/// How many lanes read a batch at once. Each holds some megabytes meanwhile.
const READERS: usize = 16;

/// Shared by all lanes of the process. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Room {
    free: Arc<Semaphore>,
    readers: Arc<Semaphore>,
    always: usize,
}

impl Default for Room {
    fn default() -> Self {
        Self::new(ALERTS, ALWAYS)
    }
}

impl Room {
    /// Room for `alerts` in all lanes together, and for `always` in each lane
    /// in any case.
    pub(crate) fn new(alerts: usize, always: usize) -> Self {
        Self { free: Arc::new(Semaphore::new(alerts)), readers: Arc::new(Semaphore::new(READERS)), always }
    }

    /// The share of one lane. It is empty at first.
    pub(super) fn share(&self) -> Share {
        Share { room: self.clone(), taken: None }
    }

    /// Held while a batch is read.
    pub(super) async fn reader(&self) -> Option<SemaphorePermit<'_>> {
        self.readers.acquire().await.ok()
    }
}

/// What one lane has taken. Given back when dropped.
#[derive(Debug)]
pub(super) struct Share {
    room: Room,
    taken: Option<OwnedSemaphorePermit>,
}

impl Share {
    /// Takes room for `wanted` more alerts besides the `kept` ones. Returns how
    /// many there is room for.
    pub(super) fn grow(&mut self, kept: usize, wanted: usize) -> usize {
        let missing = (kept + wanted).saturating_sub(self.taken());
        let more = u32::try_from(missing)
            .ok()
            .and_then(|missing| self.room.free.clone().try_acquire_many_owned(missing).ok());
        match (&mut self.taken, more) {
            (Some(taken), Some(more)) => taken.merge(more),
            (taken @ None, more) => *taken = more,
            (Some(_), None) => {}
        }
        self.taken().max(self.room.always).saturating_sub(kept).min(wanted)
    }

    /// Gives back the room that these alerts do not need.
    pub(super) fn settle(&mut self, kept: usize) {
        let surplus = self.taken().saturating_sub(kept);
        drop(self.taken.as_mut().and_then(|taken| taken.split(surplus)));
    }

    fn taken(&self) -> usize {
        self.taken.as_ref().map_or(0, OwnedSemaphorePermit::num_permits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_takes_what_is_free_and_always_a_little() {
        let room = Room::new(100, 5);
        let (mut one, mut other) = (room.share(), room.share());
        assert_eq!(one.grow(0, 90), 90);
        assert_eq!(other.grow(0, 20), 5, "that much in any case");
        assert_eq!(other.grow(5, 20), 0);
        one.settle(50);
        assert_eq!(other.grow(5, 20), 20);
        drop((one, other));
        assert_eq!(room.free.available_permits(), 100);
    }
}
