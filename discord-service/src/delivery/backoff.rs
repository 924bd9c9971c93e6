//! How long to wait before trying again.

use std::time::Duration;

use rand::Rng as _;

/// Doubles from `first` to `longest`, with jitter so that lanes that failed
/// together do not come back together.
#[derive(Debug)]
pub(crate) struct Backoff {
    first: Duration,
    longest: Duration,
    failures: u32,
}

impl Backoff {
    pub(crate) const fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, failures: 0 }
    }

    /// It worked: the next wait is the shortest again.
    pub(crate) const fn reset(&mut self) {
        self.failures = 0;
    }

    /// It failed: how long to wait now.
    pub(crate) fn next(&mut self) -> Duration {
        let factor = 1_u32 << self.failures.min(16);
        self.failures = self.failures.saturating_add(1);
        let wait = self.first.saturating_mul(factor).min(self.longest);
        wait.mul_f64(rand::rng().random_range(0.75..=1.0))
    }
}
