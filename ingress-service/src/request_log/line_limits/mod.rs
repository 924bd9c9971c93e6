//! How many log lines rejected requests may cause.

#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    net::IpAddr,
    num::NonZeroU32,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use governor::{DefaultDirectRateLimiter, DefaultKeyedRateLimiter, Quota, RateLimiter};

/// Lines of each kind: a second, and in a burst.
const KIND: (NonZeroU32, NonZeroU32) = (limit(20), limit(200));
/// The part of these that one address may cause.
const SOURCE: (NonZeroU32, NonZeroU32) = (limit(5), limit(50));
/// The most addresses with a limit of their own.
const SOURCES: usize = 10_000;

const fn limit(lines: u32) -> NonZeroU32 {
    match NonZeroU32::new(lines) {
        Some(lines) => lines,
        None => NonZeroU32::MIN,
    }
}

/// Decides which rejections are logged, and counts the rest.
#[derive(Debug)]
pub(crate) struct LineLimits {
    sources: DefaultKeyedRateLimiter<(&'static str, Option<IpAddr>)>,
    calls: AtomicUsize,
    kinds: Mutex<HashMap<&'static str, KindLimit>>,
}

#[derive(Debug)]
struct KindLimit {
    limit: DefaultDirectRateLimiter,
    unlogged: u64,
}

impl Default for LineLimits {
    fn default() -> Self {
        let (rate, burst) = SOURCE;
        Self {
            sources: RateLimiter::keyed(Quota::per_second(rate).allow_burst(burst)),
            calls: AtomicUsize::new(0),
            kinds: Mutex::default(),
        }
    }
}

impl LineLimits {
    /// If a rejection of this kind is to be logged: how many before it were
    /// not. Else `None`.
    pub(crate) fn admit(&self, kind: &'static str, source: Option<IpAddr>) -> Option<u64> {
        // This looks at all addresses, so it does not run each time.
        if self.calls.fetch_add(1, Relaxed) % SOURCES == SOURCES - 1 {
            self.sources.retain_recent();
        }
        // When there are too many, all new ones count as one.
        let source = source.filter(|_| self.sources.len() < SOURCES);
        let of_source = self.sources.check_key(&(kind, source)).is_ok();
        let mut kinds = self.kinds.lock().unwrap_or_else(PoisonError::into_inner);
        let (rate, burst) = KIND;
        let kind = kinds.entry(kind).or_insert_with(|| KindLimit {
            limit: RateLimiter::direct(Quota::per_second(rate).allow_burst(burst)),
            unlogged: 0,
        });
        if of_source && kind.limit.check().is_ok() {
            Some(std::mem::take(&mut kind.unlogged))
        } else {
            kind.unlogged += 1;
            None
        }
    }

    /// How many rejections of each kind were not logged since the last call.
    pub(crate) fn unlogged(&self) -> Vec<(&'static str, u64)> {
        let mut kinds = self.kinds.lock().unwrap_or_else(PoisonError::into_inner);
        let counts = kinds.iter_mut().map(|(name, kind)| (*name, std::mem::take(&mut kind.unlogged)));
        counts.filter(|(_, count)| *count > 0).collect()
    }
}
