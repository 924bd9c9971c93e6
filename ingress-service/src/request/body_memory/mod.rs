//! How much memory the bodies of all requests together may take.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use tokio::sync::{Mutex, OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};

/// Bytes of bodies in flight. Beyond it a body waits for another to go, in order.
const BODIES: usize = 64 << 20;

/// The room for bodies.
#[derive(Debug)]
pub(crate) struct BodyMemory {
    free: Arc<Semaphore>,
    /// The first one that waits may go beyond what is free, one at a time.
    /// Otherwise bodies that are all half read would wait for each other.
    first: Arc<Mutex<()>>,
}

impl Default for BodyMemory {
    fn default() -> Self {
        Self::of(BODIES)
    }
}

/// What one body has of the room, until it is dropped.
#[derive(Debug)]
pub(crate) struct BodyShare {
    room: Arc<Semaphore>,
    permit: Option<OwnedSemaphorePermit>,
    first: Arc<Mutex<()>>,
    turn: Option<OwnedMutexGuard<()>>,
}

impl BodyMemory {
    fn of(bytes: usize) -> Self {
        Self { free: Arc::new(Semaphore::new(bytes)), first: Arc::default() }
    }

    /// Nothing yet.
    pub(crate) fn share(&self) -> BodyShare {
        BodyShare { room: Arc::clone(&self.free), permit: None, first: Arc::clone(&self.first), turn: None }
    }
}

impl BodyShare {
    /// Takes so many bytes more if they are free.
    pub(crate) fn try_grow(&mut self, bytes: u32) -> bool {
        if self.turn.is_some() {
            return true;
        }
        let permit = Arc::clone(&self.room).try_acquire_many_owned(bytes).ok();
        let taken = permit.is_some();
        self.keep(permit);
        taken
    }

    /// Takes so many bytes more, as soon as they are free or it is its turn.
    pub(crate) async fn grow(&mut self, bytes: u32) {
        if self.try_grow(bytes) {
            return;
        }
        tokio::select! {
            biased;
            permit = Arc::clone(&self.room).acquire_many_owned(bytes) => self.keep(permit.ok()),
            turn = Arc::clone(&self.first).lock_owned() => self.turn = Some(turn),
        }
    }

    fn keep(&mut self, permit: Option<OwnedSemaphorePermit>) {
        match (&mut self.permit, permit) {
            (Some(kept), Some(more)) => kept.merge(more),
            (kept @ None, more) => *kept = more,
            (Some(_), None) => {}
        }
    }
}
