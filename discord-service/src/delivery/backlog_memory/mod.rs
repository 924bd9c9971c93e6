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
pub(crate) struct BacklogMemory {
    free: Arc<Semaphore>,
    readers: Arc<Semaphore>,
    always: usize,
}

impl Default for BacklogMemory {
    fn default() -> Self {
        Self::new(ALERTS, ALWAYS)
    }
}

impl BacklogMemory {
    /// Room for `alerts` in all lanes together, and for `always` in each lane
    /// in any case.
    pub(crate) fn new(alerts: usize, always: usize) -> Self {
        Self { free: Arc::new(Semaphore::new(alerts)), readers: Arc::new(Semaphore::new(READERS)), always }
    }

    /// The share of one lane. It is empty at first.
    pub(super) fn share(&self) -> BacklogShare {
        BacklogShare { memory: self.clone(), taken: None }
    }

    /// Held while a batch is read.
    pub(super) async fn reader(&self) -> Option<SemaphorePermit<'_>> {
        self.readers.acquire().await.ok()
    }
}

/// What one lane has taken. Given back when dropped.
#[derive(Debug)]
pub(super) struct BacklogShare {
    memory: BacklogMemory,
    taken: Option<OwnedSemaphorePermit>,
}

impl BacklogShare {
    /// Takes room for `wanted` more alerts besides the `kept` ones. Returns how
    /// many there is room for.
    pub(super) fn grow(&mut self, kept: usize, wanted: usize) -> usize {
        let missing = (kept + wanted).saturating_sub(self.taken());
        let more = u32::try_from(missing)
            .ok()
            .and_then(|missing| self.memory.free.clone().try_acquire_many_owned(missing).ok());
        match (&mut self.taken, more) {
            (Some(taken), Some(more)) => taken.merge(more),
            (taken @ None, more) => *taken = more,
            (Some(_), None) => {}
        }
        self.taken().max(self.memory.always).saturating_sub(kept).min(wanted)
    }

    /// Gives back the room that these alerts do not need.
    pub(super) fn shrink(&mut self, kept: usize) {
        let surplus = self.taken().saturating_sub(kept);
        drop(self.taken.as_mut().and_then(|taken| taken.split(surplus)));
    }

    fn taken(&self) -> usize {
        self.taken.as_ref().map_or(0, OwnedSemaphorePermit::num_permits)
    }
}

#[cfg(test)]
mod tests;
