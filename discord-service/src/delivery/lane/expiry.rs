//! Which alerts have waited too long to be posted: longer than `ALERT_MAX_AGE_SECS`.

use shared::clock;

use super::services::Services;
use crate::dead_letters::{Cause, DeadLetterReason};

impl Services {
    /// An alert that has waited since before this time is too old. In milliseconds
    /// since 1970.
    pub(super) fn oldest_ms(&self) -> i64 {
        let max_age_ms = i64::try_from(self.max_age.as_millis()).unwrap_or(i64::MAX);
        clock::age_ms().saturating_sub(max_age_ms)
    }
}

pub(super) fn expired_cause() -> Cause {
    Cause::new(DeadLetterReason::Expired, "it waited too long to be posted")
}
