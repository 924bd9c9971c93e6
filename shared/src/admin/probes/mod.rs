//! Who looks at `/readyz`, and how often. A service that stops keeps taking
//! requests until those who send them have seen that it does.

#[cfg(test)]
mod tests;

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    sync::Notify,
    time::{Instant, timeout},
};

/// What is asked at `/readyz`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProbeQuestion {
    /// Whether all of the work can be done.
    Work,
    /// Whether requests are to be sent here: `/readyz?for=traffic`.
    Traffic,
}

/// The looks at `/readyz` of one process, of each question.
#[derive(Debug, Default)]
pub(crate) struct Probes {
    work: Looks,
    traffic: Looks,
}

#[derive(Debug, Default)]
struct Looks {
    times: Mutex<ProbeTimes>,
    failed: Notify,
}

#[derive(Debug, Default, Clone, Copy)]
struct ProbeTimes {
    last: Option<Instant>,
    /// Between the last two.
    every: Duration,
}

impl Probes {
    /// Somebody asked and was told this.
    pub(crate) fn note(&self, question: ProbeQuestion, ready: bool) {
        let looks = match question {
            ProbeQuestion::Work => &self.work,
            ProbeQuestion::Traffic => &self.traffic,
        };
        let mut times = looks.times.lock().unwrap_or_else(PoisonError::into_inner);
        times.every = times.last.map_or(Duration::ZERO, |last| last.elapsed());
        times.last = Some(Instant::now());
        if !ready {
            looks.failed.notify_waiters();
        }
    }

    /// Returns when whoever looks regularly was told that it is not ready, at
    /// once where nobody looks (any more), and after `longest` in any case.
    pub(crate) async fn until_failed(&self, longest: Duration) {
        tokio::join!(self.work.until_failed(longest), self.traffic.until_failed(longest));
    }
}

impl Looks {
    async fn until_failed(&self, longest: Duration) {
        let ProbeTimes { last, every } = *self.times.lock().unwrap_or_else(PoisonError::into_inner);
        // The next one is due within `every`, and may be late.
        let overdue = (every * 2).min(longest);
        if last.is_some_and(|last| last.elapsed() < overdue) {
            let _ = timeout(overdue, self.failed.notified()).await;
        }
    }
}
