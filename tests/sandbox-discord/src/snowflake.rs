//! Discord's ids: the time in milliseconds since 2015, shifted left by 22 bits.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serializer;
use serde_json::Value;

const EPOCH_MS: u64 = 1_420_070_400_000;

static LAST: AtomicU64 = AtomicU64::new(0);

/// A new id, greater than every one before it in this process.
pub(crate) fn next() -> u64 {
    let now_ms = u64::try_from(Utc::now().timestamp_millis()).unwrap_or(EPOCH_MS);
    let now = now_ms.saturating_sub(EPOCH_MS) << 22;
    let step = |last: u64| Some(now.max(last + 1));
    LAST.fetch_update(Ordering::Relaxed, Ordering::Relaxed, step).map_or(now, |last| now.max(last + 1))
}

/// How long ago the id was made.
pub(crate) fn age(id: u64) -> Duration {
    let now_ms = u64::try_from(Utc::now().timestamp_millis()).unwrap_or(EPOCH_MS);
    Duration::from_millis(now_ms.saturating_sub((id >> 22) + EPOCH_MS))
}

/// When the id was made, as Discord writes times.
pub(crate) fn timestamp(id: u64) -> String {
    let ms = i64::try_from((id >> 22) + EPOCH_MS).unwrap_or(i64::MAX);
    format_time(DateTime::from_timestamp_millis(ms).unwrap_or_default())
}

/// The present moment, as Discord writes times.
pub(crate) fn now() -> String {
    format_time(Utc::now())
}

/// A moment, as Discord writes times.
pub(crate) fn format_time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Micros, false)
}

/// An id in a path: 1 to 20 digits that fit 64 bits, not 0.
pub(crate) fn parse(text: &str) -> Option<u64> {
    let digits = (1..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten().filter(|&id| id != 0)
}

/// An id in a body: a string, or a number as Discord also takes it.
pub(crate) fn from_json(value: &Value) -> Option<u64> {
    match value {
        Value::String(text) => parse(text),
        Value::Number(number) => number.as_u64().filter(|&id| id != 0),
        _ => None,
    }
}

/// For serde: an id as the string that JavaScript can hold.
pub(crate) fn as_string<S: Serializer>(id: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(id)
}

/// For serde: ids as strings.
pub(crate) fn as_strings<S: Serializer>(ids: &BTreeSet<u64>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(ids.iter().map(ToString::to_string))
}
