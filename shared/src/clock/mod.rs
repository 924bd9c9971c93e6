//! The time by which alerts grow old. The wall clock may step, a day at once: a
//! step must not make dead letters of a whole backlog. So where the wall clock,
//! the time since the start and NATS's clock disagree, an alert counts as younger.

#[cfg(test)]
mod tests;

use std::{
    sync::{LazyLock, Mutex, PoisonError},
    time::{Duration, Instant},
};

use chrono::Utc;

static CLOCK: LazyLock<Clock> = LazyLock::new(Clock::start);

/// The process sees steps of the wall clock from here on.
pub fn start() {
    LazyLock::force(&CLOCK);
}

/// NATS's clock says this, in milliseconds since 1970.
pub fn heard(nats_ms: i64) {
    *CLOCK.nats.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), nats_ms));
}

/// When an alert comes in, in milliseconds since 1970: the wall clock's time, but
/// never earlier than it would be without a step backward.
pub fn received_ms() -> i64 {
    wall_ms().max(CLOCK.without_steps_ms())
}

/// By which time the age of an alert counts, in milliseconds since 1970: the wall
/// clock's, but never later than it would be without a step forward, nor later
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

/// What a clock says now that said this then.
fn later_ms((then, ms): (Instant, i64)) -> i64 {
    ms.saturating_add(millis(then.elapsed()))
}

/// In milliseconds, which no process lives long enough to overflow.
fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}
