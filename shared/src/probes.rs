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

/// What is asked at `/readyz`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Question {
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
    times: Mutex<Times>,
    failed: Notify,
}

#[derive(Debug, Default, Clone, Copy)]
struct Times {
    last: Option<Instant>,
    /// Between the last two.
    every: Duration,
}

impl Probes {
    /// Somebody asked and was told this.
    pub(crate) fn note(&self, question: Question, ready: bool) {
        let looks = match question {
            Question::Work => &self.work,
            Question::Traffic => &self.traffic,
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
        let Times { last, every } = *self.times.lock().unwrap_or_else(PoisonError::into_inner);
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
            probes.note(Question::Work, true);
        }
        probes
    }

    #[tokio::test(start_paused = true)]
    async fn it_waits_for_the_look_that_finds_it_failing() {
        let probes = looked_at(5 * SECOND, 3).await;
        let looks = async {
            tokio::time::sleep(5 * SECOND).await;
            probes.note(Question::Work, false);
        };
        assert_eq!(tokio::join!(waits(&probes), looks).0, 5 * SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn a_look_for_one_thing_says_nothing_to_those_who_look_for_another() {
        let probes = looked_at(5 * SECOND, 3).await;
        for _ in 0..3 {
            tokio::time::sleep(SECOND).await;
            probes.note(Question::Traffic, true);
        }
        let looks = async {
            probes.note(Question::Work, false);
            tokio::time::sleep(SECOND).await;
            probes.note(Question::Traffic, false);
        };
        assert_eq!(tokio::join!(waits(&probes), looks).0, SECOND);
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
