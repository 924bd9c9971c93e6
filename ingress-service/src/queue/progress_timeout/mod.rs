//! Whether NATS is slow or hangs: while it confirms other alerts it is only
//! slow, and whoever waits has a reason to wait on.

#[cfg(test)]
mod tests;

use std::{
    pin::pin,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::{Instant, timeout_at};

/// NATS hangs when it has confirmed nothing for so long. With the time that an
/// answer may take anyway this stays within the contract's 500 ms.
const HANGS_AFTER: Duration = Duration::from_millis(100);
/// The most that anybody waits on: then Sentry is about to give up.
const PATIENCE: Duration = Duration::from_millis(400);

/// When NATS last confirmed something.
#[derive(Debug, Default)]
pub(super) struct Pulse(Mutex<Option<Instant>>);

impl Pulse {
    /// NATS has just confirmed something.
    pub(super) fn beat(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// What `work` comes to, before `deadline` or, while NATS confirms other
    /// things, soon after it.
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
