//! Times as an embed shows them.

use chrono::{DateTime, Datelike as _};

/// `dd-mm-yyyy HH:MM:SS` in UTC; `None` outside the years 1970 to 9999.
pub(crate) fn utc(ms: i64) -> Option<String> {
    let time = DateTime::from_timestamp_millis(ms)?;
    (1970..=9999).contains(&time.year()).then(|| time.format("%d-%m-%Y %H:%M:%S").to_string())
}

/// How many alerts, and from when to when. The only place that writes `×`.
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
