//! What the fault tests leave to chance. `SEED=…` repeats a run.

use std::time::Duration;

use rand::{SeedableRng as _, rngs::StdRng};

/// The source of all chance in a test. It is printed on standard error when the
/// test fails.
#[derive(Debug)]
pub struct Seed(pub u64);

impl Seed {
    /// `SEED`, or another one each time.
    pub fn new() -> Self {
        Self(std::env::var("SEED").map_or_else(
            |_| rand::random_range(1..1_000_000),
            |seed| seed.parse().expect("SEED is a number"),
        ))
    }

    /// Numbers for one purpose; the same `stream` gives the same numbers.
    pub fn rng(&self, stream: u64) -> StdRng {
        StdRng::seed_from_u64(self.0.wrapping_mul(1_000).wrapping_add(stream))
    }
}

impl Default for Seed {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("*** repeat this with SEED={} ***", self.0);
        }
    }
}

/// The second worst of these. During the worst one a busy machine may have
/// stopped.
///
/// # Panics
/// When there are not two.
pub fn worst_but_one(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() - 2]
}
