//! The time by which alerts grow old. The wall clock may step, a day at once: a
//! step forward must not make dead letters of a whole backlog.

use std::{
    sync::LazyLock,
    time::{Duration, Instant},
};

use chrono::Utc;

static CLOCK: LazyLock<Clock> = LazyLock::new(Clock::start);

/// Milliseconds since 1970 as the wall clock says, unless it has stepped forward
/// since the process began: then as they would be without the step.
pub(super) fn now_ms() -> i64 {
    CLOCK.now_ms(Utc::now().timestamp_millis())
}

struct Clock {
    began: Instant,
    wall_ms: i64,
}

impl Clock {
    fn start() -> Self {
        Self { began: Instant::now(), wall_ms: Utc::now().timestamp_millis() }
    }

    fn now_ms(&self, wall_ms: i64) -> i64 {
        wall_ms.min(self.wall_ms.saturating_add(millis(self.began.elapsed())))
    }
}

/// In milliseconds, which no process lives long enough to overflow.
fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
