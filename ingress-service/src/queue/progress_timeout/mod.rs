//! A deadline that moves while NATS makes progress. As long as NATS confirms
//! other alerts, it is only slow, and waiting helps.

#[cfg(test)]
mod tests;

use std::{
    pin::pin,
    sync::{Mutex, PoisonError},
};

use tokio::time::{Instant, timeout_at};

use crate::deadlines::{HANGS_AFTER, PATIENCE};

/// When NATS last confirmed something.
#[derive(Debug, Default)]
pub(super) struct ProgressTimeout(Mutex<Option<Instant>>);

impl ProgressTimeout {
    /// Notes that NATS has just confirmed something.
    pub(super) fn beat(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// The result of `work`, if it is there before `deadline`, or soon after it
    /// while NATS confirms other things.
    pub(super) async fn within<T>(&self, deadline: Instant, work: impl Future<Output = T>) -> Option<T> {
        let mut work = pin!(work);
        let mut until = deadline;
        loop {
            if let Ok(done) = timeout_at(until, &mut work).await {
                return Some(done);
            }
            let last = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
            until = (last? + HANGS_AFTER).min(deadline + PATIENCE);
            if until <= Instant::now() {
                return None;
            }
        }
    }
}
