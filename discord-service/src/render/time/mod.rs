//! Times as an embed shows them.

use chrono::{DateTime, Datelike as _, Utc};
use serenity::model::Timestamp;

/// `None` outside the years 1970 to 9999.
fn time(ms: i64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_millis(ms).filter(|time| (1970..=9999).contains(&time.year()))
}

/// `dd-mm-yyyy HH:MM:SS` in UTC; `None` outside the years 1970 to 9999.
pub(crate) fn utc(ms: i64) -> Option<String> {
    time(ms).map(|time| time.format("%d-%m-%Y %H:%M:%S").to_string())
}

/// How long ago that is, which Discord counts for each reader; `None` outside the
/// years 1970 to 9999.
pub(super) fn ago(ms: i64) -> Option<String> {
    time(ms).map(|time| format!("<t:{}:R>", time.timestamp()))
}

/// The same for a time in the notation of RFC 3339, and nothing beside it.
pub(super) fn ago_of(text: &str) -> Option<String> {
    let time = DateTime::parse_from_rfc3339(text.trim()).ok()?;
    ago(time.timestamp_millis())
}

/// A time that Discord shows by each reader's clock; `None` outside the years 1970 to 9999.
pub(super) fn timestamp(ms: i64) -> Option<Timestamp> {
    time(ms).and_then(|time| Timestamp::from_millis(time.timestamp_millis()).ok())
}

/// How many alerts in how long a time: this and [`occurrences`] alone write `×`.
pub(super) fn pace(count: u64, first_ms: i64, last_ms: i64) -> String {
    let seconds = last_ms.abs_diff(first_ms).div_ceil(1_000).max(1);
    let rounded = |unit: u64| (seconds + unit / 2) / unit;
    let span = match seconds {
        ..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", rounded(60)),
        3_600..172_800 => format!("{} h", rounded(3_600)),
        _ => format!("{} days", rounded(86_400)),
    };
    format!("×{count} in {span}")
}

/// How many alerts, and from when to when.
pub(super) fn occurrences(count: u64, first_ms: i64, last_ms: i64) -> String {
    match (utc(first_ms.min(last_ms)), utc(first_ms.max(last_ms))) {
        (Some(first), Some(last)) if first == last => format!("×{count} at {first}"),
        (Some(first), Some(last)) => format!("×{count} from {first} to {last}"),
        (Some(known), None) | (None, Some(known)) => format!("×{count} at {known}"),
        (None, None) => format!("×{count}"),
    }
}

#[cfg(test)]
mod tests;
