//! The clock for the age of alerts. The wall clock may jump by a day, and that
//! must not turn a whole backlog into dead letters. So if the wall clock, the
//! time since the start and NATS's clock disagree, the youngest age counts.

#[cfg(test)]
mod tests;

use std::{
    sync::{LazyLock, Mutex, PoisonError},
    time::{Duration, Instant},
};

use chrono::Utc;

static CLOCK: LazyLock<Clock> = LazyLock::new(Clock::start);

/// Begins to watch for jumps of the wall clock.
pub fn start() {
    LazyLock::force(&CLOCK);
}

/// Learns the time of NATS's clock, in milliseconds since 1970.
pub fn heard(nats_ms: i64) {
    *CLOCK.nats.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), nats_ms));
}

/// The time of receipt for an alert that comes now, in milliseconds since 1970.
/// It is the wall clock's time, without any jump backward.
pub fn received_ms() -> i64 {
    wall_ms().max(CLOCK.without_steps_ms())
}

/// The time from which the age of an alert is counted, in milliseconds since
/// 1970. It is the wall clock's time, without any jump forward, and never later
/// than NATS's clock.
pub fn age_ms() -> i64 {
    CLOCK.age_ms(wall_ms())
}

fn wall_ms() -> i64 {
    Utc::now().timestamp_millis()
}

struct Clock {
    began: (Instant, i64),
    nats: Mutex<Option<(Instant, i64)>>,
}

impl Clock {
    fn start() -> Self {
        Self { began: (Instant::now(), wall_ms()), nats: Mutex::new(None) }
    }

    fn without_steps_ms(&self) -> i64 {
        later_ms(self.began)
    }

    fn age_ms(&self, wall_ms: i64) -> i64 {
        let nats = *self.nats.lock().unwrap_or_else(PoisonError::into_inner);
        wall_ms.min(self.without_steps_ms()).min(nats.map_or(i64::MAX, later_ms))
    }
}

/// The time now on a clock that had the time `ms` at `then`.
fn later_ms((then, ms): (Instant, i64)) -> i64 {
    ms.saturating_add(millis(then.elapsed()))
}

/// No process lives long enough to overflow these milliseconds.
fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}
