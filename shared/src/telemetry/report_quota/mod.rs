//! How many events may go to the operator's own Sentry. No failure and no flood
//! may use up its quota.

#[cfg(test)]
mod tests;

use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    num::NonZeroU32,
    time::Duration,
};

use governor::{DefaultDirectRateLimiter, DefaultKeyedRateLimiter, RateLimiter};
use sentry::protocol::Event;

/// The first events of one kind. After them there is one for each
/// [`KIND_EVERY`].
const OF_A_KIND: NonZeroU32 = NonZeroU32::MIN.saturating_add(2);
const KIND_EVERY: Duration = Duration::from_secs(60);
/// The first events of all kinds together. After them there is one for each
/// [`ANY_EVERY`].
const OF_ANY: NonZeroU32 = NonZeroU32::MIN.saturating_add(29);
const ANY_EVERY: Duration = Duration::from_secs(5);
/// The most kinds to count. Events of more kinds are dropped until some are
/// forgotten.
const KINDS: usize = 1_000;

/// Decides which events are sent.
pub(crate) struct Quota {
    kinds: DefaultKeyedRateLimiter<u64>,
    any: DefaultDirectRateLimiter,
}

impl Default for Quota {
    fn default() -> Self {
        let every = |period, burst| {
            governor::Quota::with_period(period)
                .unwrap_or(governor::Quota::per_second(burst))
                .allow_burst(burst)
        };
        Self {
            kinds: RateLimiter::keyed(every(KIND_EVERY, OF_A_KIND)),
            any: RateLimiter::direct(every(ANY_EVERY, OF_ANY)),
        }
    }
}

impl Quota {
    /// Whether to send this event. Counts the ones that are not sent.
    pub(crate) fn admits(&self, event: &Event<'_>) -> bool {
        if self.kinds.len() >= KINDS {
            self.kinds.retain_recent();
        }
        let admitted = self.kinds.len() < KINDS
            && self.kinds.check_key(&kind(event)).is_ok()
            && self.any.check().is_ok();
        if !admitted {
            metrics::counter!("sentry_bot_reports_dropped_total").increment(1);
        }
        admitted
    }
}

/// Roughly the group that Sentry would make.
fn kind(event: &Event<'_>) -> u64 {
    let mut hasher = DefaultHasher::new();
    event.fingerprint.hash(&mut hasher);
    event.logger.hash(&mut hasher);
    event.message.hash(&mut hasher);
    event.exception.last().map(|exception| &exception.ty).hash(&mut hasher);
    hasher.finish()
}
