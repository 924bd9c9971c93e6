//! A service that is away is away for all lanes. While their steps fail, only
//! some lanes try, one after another. Once one has done a whole step, all lanes
//! try.

use std::{num::NonZeroU32, time::Duration};

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use tokio::{sync::Notify, time::sleep};

/// How many lanes try in a second while none succeeds.
const TRIES: NonZeroU32 = NonZeroU32::MIN.saturating_add(1);
/// The time over which all lanes start over once it works again.
const SPREAD: Duration = Duration::from_millis(200);

/// Shared by all lanes of the process.
#[derive(Debug)]
pub(crate) struct RetryTurns {
    tries: DefaultDirectRateLimiter,
    succeeded: Notify,
}

impl RetryTurns {
    pub(crate) fn new() -> Self {
        Self { tries: RateLimiter::direct(Quota::per_second(TRIES)), succeeded: Notify::new() }
    }

    /// Notes that a lane has done a whole step.
    pub(crate) fn succeeded(&self) {
        self.succeeded.notify_waiters();
    }

    /// Returns when a lane that failed may try again.
    pub(crate) async fn turn(&self) {
        tokio::select! {
            () = self.tries.until_ready() => {}
            () = self.succeeded.notified() => sleep(SPREAD.mul_f64(rand::random())).await,
        }
    }
}

#[cfg(test)]
mod tests;
