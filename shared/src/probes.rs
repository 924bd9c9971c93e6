//! Who looks at `/readyz`, and how often. A service that stops keeps taking
//! requests until those who send them have seen that it does.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    sync::Notify,
    time::{Instant, timeout},
};

/// The looks at `/readyz` of one process.
#[derive(Debug, Default)]
pub(crate) struct Probes {
    looks: Mutex<Looks>,
    failed: Notify,
}

#[derive(Debug, Default, Clone, Copy)]
struct Looks {
    last: Option<Instant>,
    /// Between the last two.
    every: Duration,
}

impl Probes {
    /// Somebody looked.
    pub(crate) fn note(&self, ready: bool) {
        let mut looks = self.looks.lock().unwrap_or_else(PoisonError::into_inner);
        looks.every = looks.last.map_or(Duration::ZERO, |last| last.elapsed());
        looks.last = Some(Instant::now());
        if !ready {
            self.failed.notify_waiters();
        }
    }

    /// Returns when somebody has looked and was told that it is not ready, at
    /// once where nobody looks (any more), and after `longest` in any case.
    pub(crate) async fn until_failed(&self, longest: Duration) {
        let Looks { last, every } = *self.looks.lock().unwrap_or_else(PoisonError::into_inner);
        // The next one is due within `every`, and may be late.
        let overdue = (every * 2).min(longest);
        if last.is_some_and(|last| last.elapsed() < overdue) {
            let _ = timeout(overdue, self.failed.notified()).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    async fn waits(probes: &Probes) -> Duration {
        let start = Instant::now();
        probes.until_failed(20 * SECOND).await;
        start.elapsed()
    }

    async fn looked_at(every: Duration, times: usize) -> Probes {
        let probes = Probes::default();
        for _ in 0..times {
            tokio::time::sleep(every).await;
            probes.note(true);
        }
        probes
    }

    #[tokio::test(start_paused = true)]
    async fn it_waits_for_the_look_that_finds_it_failing() {
        let probes = looked_at(5 * SECOND, 3).await;
        let looks = async {
            tokio::time::sleep(5 * SECOND).await;
            probes.note(false);
        };
        assert_eq!(tokio::join!(waits(&probes), looks).0, 5 * SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn where_nobody_looks_it_does_not_wait() {
        assert_eq!(waits(&Probes::default()).await, Duration::ZERO);
        assert_eq!(waits(&looked_at(SECOND, 1).await).await, Duration::ZERO);
        let probes = looked_at(SECOND, 3).await;
        tokio::time::sleep(10 * SECOND).await;
        assert_eq!(waits(&probes).await, Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn it_does_not_wait_for_ever() {
        assert_eq!(waits(&looked_at(5 * SECOND, 2).await).await, 10 * SECOND);
        assert_eq!(waits(&looked_at(60 * SECOND, 2).await).await, 20 * SECOND);
    }
}
