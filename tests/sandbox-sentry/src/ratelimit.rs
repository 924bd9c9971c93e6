//! Sentry's rate limits: fixed windows for each endpoint, method and caller
//! (`src/sentry/ratelimits/utils.py`, `src/sentry/ratelimits/redis.py`).

use std::{
    collections::HashMap,
    time::{SystemTime, UNIX_EPOCH},
};

use crate::config::RateLimit;

/// How many requests of one caller Sentry takes at the same time. The sandbox only says so.
const CONCURRENT: u32 = 25;

/// The figures after a request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Figures {
    pub(crate) limit: RateLimit,
    pub(crate) remaining: u32,
    /// When the window ends, in seconds since 1970.
    pub(crate) reset: u64,
}

impl Figures {
    pub(crate) fn headers(&self) -> Vec<(&'static str, String)> {
        vec![
            ("X-Sentry-Rate-Limit-Limit", self.limit.count.to_string()),
            ("X-Sentry-Rate-Limit-Remaining", self.remaining.to_string()),
            ("X-Sentry-Rate-Limit-Reset", self.reset.to_string()),
            ("X-Sentry-Rate-Limit-ConcurrentLimit", CONCURRENT.to_string()),
            ("X-Sentry-Rate-Limit-ConcurrentRemaining", (CONCURRENT - 1).to_string()),
        ]
    }
}

/// The windows of all callers.
#[derive(Debug, Default)]
pub(crate) struct Windows(HashMap<String, (u64, u32)>);

impl Windows {
    /// Takes one request. `Err` when nothing is left until the window ends.
    pub(crate) fn take(&mut self, key: String, limit: RateLimit) -> Result<Figures, Figures> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let seconds = limit.window.as_secs().max(1);
        let window = now / seconds;
        let reset = (window + 1) * seconds;
        let (current, used) = self.0.entry(key).or_default();
        if *current != window {
            (*current, *used) = (window, 0);
        }
        if *used >= limit.count {
            return Err(Figures { limit, remaining: 0, reset });
        }
        *used += 1;
        Ok(Figures { limit, remaining: limit.count - *used, reset })
    }
}
