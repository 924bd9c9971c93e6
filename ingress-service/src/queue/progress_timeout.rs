//! Whether NATS is slow or hangs: while it confirms other alerts it is only
//! slow, and whoever waits has a reason to wait on.

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

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::time::sleep;

    use super::*;

    const DEADLINE: Duration = Duration::from_millis(350);

    /// How long somebody waits whose work takes `work`, while NATS confirms
    /// something every 10 ms for the time `alive`.
    async fn waits(work: Duration, alive: Duration) -> (bool, Duration) {
        let (pulse, began) = (Pulse::default(), Instant::now());
        let beats = async {
            while began.elapsed() < alive {
                pulse.beat();
                sleep(Duration::from_millis(10)).await;
            }
            pending::<()>().await;
        };
        let done = tokio::select! {
            done = pulse.within(began + DEADLINE, sleep(work)) => done,
            () = beats => None,
        };
        (done.is_some(), began.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_nats_is_waited_for_and_a_hanging_one_is_not() {
        let ms = Duration::from_millis;
        let (never, ever) = (ms(60_000), ms(60_000));
        assert_eq!(waits(ms(300), ms(0)).await, (true, ms(300)));
        assert_eq!(waits(never, ms(0)).await, (false, DEADLINE));
        assert_eq!(waits(never, ms(200)).await, (false, DEADLINE));
        assert_eq!(waits(ms(600), ever).await, (true, ms(600)));
        assert_eq!(waits(never, ever).await, (false, DEADLINE + PATIENCE));
        // It hangs while somebody waits on.
        let (done, took) = waits(never, DEADLINE).await;
        assert!(!done && took <= DEADLINE + HANGS_AFTER, "{took:?}");
    }
}
