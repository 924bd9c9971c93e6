//! Ids and times, as Sentry writes them.

use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, SecondsFormat, Utc};

/// Below the ids that tests and the fixtures choose by hand.
static NEXT: AtomicU64 = AtomicU64::new(4_510_000_000);

/// An id that nothing else in this process has. So a member's id and a user's id always differ.
pub(crate) fn next() -> u64 {
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// 32 hexadecimal digits, by chance.
pub(crate) fn random_hex() -> String {
    hex::encode(rand::random::<[u8; 16]>())
}

/// A UUID of version 4, with dashes.
pub(crate) fn uuid() -> String {
    let hex = random_hex();
    let [a, b, c, d, e] = [&hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..]];
    format!("{a}-{b}-4{c}-8{d}-{e}")
}

pub(crate) fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}
