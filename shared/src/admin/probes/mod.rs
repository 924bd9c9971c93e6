//! How often probes ask `/readyz`. A service that stops still takes requests
//! until the probes have seen that it fails.

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

/// The two questions that `/readyz` answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProbeQuestion {
    /// Can the process do all of its work?
    Work,
    /// May requests come here? `/readyz?for=traffic`.
    Traffic,
}

/// The probes of one process, for each question.
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
    /// The time between the last two.
    every: Duration,
}

impl Probes {
    /// Notes that a probe got this answer.
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

    /// Returns when a regular probe was told that the process is not ready, but
    /// after `longest` in any case. Returns at once if no probe comes, or none
    /// any more.
    pub(crate) async fn until_failed(&self, longest: Duration) {
        tokio::join!(self.work.until_failed(longest), self.traffic.until_failed(longest));
    }
}

impl Looks {
    async fn until_failed(&self, longest: Duration) {
        let ProbeTimes { last, every } = *self.times.lock().unwrap_or_else(PoisonError::into_inner);
        // The next probe is due within `every`, and may be late.
        let overdue = (every * 2).min(longest);
        if last.is_some_and(|last| last.elapsed() < overdue) {
            let _ = timeout(overdue, self.failed.notified()).await;
        }
    }
}
