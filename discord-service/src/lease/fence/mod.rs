//! For how long a pod may act on what it holds, by its own clocks.
//! How long a lease lasts is the setting `LEASE_TTL_SECS`.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    task::Poll,
    time::{Duration, SystemTime},
};

use shared::shutdown::CancellationToken;
use tokio::time::{Instant, sleep_until};

use super::owner_table::PodId;

/// Stops whatever a pod does once it has not renewed its leases in time. Each time
/// the pod joins the others, it has a new fence. Cheap to clone.
///
/// Both clocks must agree. The monotonic one goes on while the process is
/// stopped (SIGSTOP), but not while the machine sleeps. The wall clock does,
/// but can be set back.
#[derive(Debug, Clone)]
pub struct Fence(Arc<PodLife>);

/// One life of a pod: from joining until its key in NATS may be gone.
#[derive(Debug)]
struct PodLife {
    pod: PodId,
    until: Mutex<(Instant, SystemTime)>,
    lost: CancellationToken,
}

impl Fence {
    /// A fence that stops everything until `renew` is called.
    pub(super) fn new(pod: PodId) -> Self {
        let until = Mutex::new((Instant::now(), SystemTime::now()));
        Self(Arc::new(PodLife { pod, until, lost: CancellationToken::new() }))
    }

    /// A fence that stops nothing for an hour.
    #[cfg(test)]
    pub(crate) fn always() -> Self {
        let fence = Self::new(PodId::new());
        fence.renew((Instant::now(), SystemTime::now()), Duration::from_secs(3600));
        fence
    }

    pub(super) fn pod(&self) -> &PodId {
        &self.0.pod
    }

    /// The pod's key was written after `since`. The pod may act for `time` after that.
    pub(super) fn renew(&self, since: (Instant, SystemTime), time: Duration) {
        let mut until = self.0.until.lock().unwrap_or_else(PoisonError::into_inner);
        *until = (since.0 + time, since.1 + time);
    }

    /// Whether the pod may act now. Once it may not, it never may again, even
    /// if a late renewal succeeds. Something has already stopped for this
    /// reason and must begin again.
    pub fn is_held(&self) -> bool {
        let until = *self.0.until.lock().unwrap_or_else(PoisonError::into_inner);
        if Instant::now() >= until.0 || SystemTime::now() >= until.1 {
            self.0.lost.cancel();
        }
        !self.0.lost.is_cancelled()
    }

    /// Ends the pod's life, also for those who wait.
    pub(super) fn end(&self) {
        self.0.lost.cancel();
    }

    /// Returns when the pod may not act any more.
    pub(super) async fn expired(&self) {
        while self.is_held() {
            let until = self.0.until.lock().unwrap_or_else(PoisonError::into_inner).0;
            sleep_until(until).await;
        }
    }

    /// Lets `act` go on only while the pod may act. It checks the clocks before
    /// every step, so that a process that was frozen takes no further step when
    /// it wakes. `None`: it was cut off.
    pub async fn while_held<T>(&self, act: impl Future<Output = T>) -> Option<T> {
        let mut act = pin!(act);
        let mut lost = pin!(self.0.lost.cancelled());
        poll_fn(|context| {
            if lost.as_mut().poll(context).is_ready() || !self.is_held() {
                return Poll::Ready(None);
            }
            act.as_mut().poll(context).map(Some)
        })
        .await
    }
}

#[cfg(test)]
mod tests;
