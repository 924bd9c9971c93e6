//! When an event happened, from any form of `event.timestamp`.

#[cfg(test)]
mod tests;

use chrono::DateTime;
use serde_json::Value;

/// The first second of the year 10000.
const END: f64 = 253_402_300_800.0;

/// Milliseconds since 1970: of a number of seconds, of such a number as text,
/// or of a time in RFC 3339. `None` for anything else, and outside the years
/// 1970 to 9999.
pub(super) fn milliseconds(timestamp: &Value) -> Option<i64> {
    let seconds = match timestamp {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => {
            let text = text.trim();
            match text.parse() {
                Ok(seconds) => seconds,
                Err(_) => DateTime::parse_from_rfc3339(text).ok()?.timestamp_millis() as f64 / 1_000.0,
            }
        }
        _ => return None,
    };
    (0.0..END).contains(&seconds).then_some((seconds * 1_000.0) as i64)
}
