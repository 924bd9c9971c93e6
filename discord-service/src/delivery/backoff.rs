//! How long to wait before the next try, and how often to log it.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use rand::Rng as _;

/// How long until a lasting failure is logged again.
const STALE: Duration = Duration::from_secs(60);

/// Doubles from `first` to `longest`, with jitter. So lanes that failed
/// together do not come back together.
#[derive(Debug)]
pub(crate) struct Backoff {
    first: Duration,
    longest: Duration,
    failures: u32,
}

impl Backoff {
    /// Between attempts to send a post or an edit.
    pub(crate) const fn of_requests() -> Self {
        Self::new(Duration::from_millis(250), Duration::from_secs(15))
    }

    pub(crate) const fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, failures: 0 }
    }

    /// Notes a success. The next wait is the shortest again.
    pub(crate) const fn reset(&mut self) {
        self.failures = 0;
    }

    /// Notes a failure. Returns how long to wait now.
    pub(crate) fn next(&mut self) -> Duration {
        let factor = 1_u32 << self.failures.min(16);
        self.failures = self.failures.saturating_add(1);
        let wait = self.first.saturating_mul(factor).min(self.longest);
        wait.mul_f64(rand::rng().random_range(0.75..=1.0))
    }
}

/// Keeps many lanes from logging the same thing.
#[derive(Debug)]
pub(crate) struct News(Mutex<Option<Instant>>);

impl News {
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(None))
    }

    /// Whether nobody has logged it for a minute.
    pub(crate) fn is_news(&self) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let news = last.is_none_or(|last| last.elapsed() > STALE);
        if news {
            *last = Some(Instant::now());
        }
        news
    }
}
