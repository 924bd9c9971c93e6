//! When an event happened, from whatever stands in `event.timestamp`.

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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_numeric_text_and_rfc_3339_are_understood() {
        for (timestamp, expected) in [
            (json!(1_763_905_862.123_456), 1_763_905_862_123),
            (json!(0), 0),
            (json!("1763905862.5"), 1_763_905_862_500),
            (json!("2025-11-23T13:51:02.123Z"), 1_763_905_862_123),
            (json!("2025-11-23T14:51:02+01:00"), 1_763_905_862_000),
            (json!(253_402_300_799_u64), 253_402_300_799_000),
        ] {
            assert_eq!(milliseconds(&timestamp), Some(expected), "{timestamp}");
        }
    }

    #[test]
    fn anything_else_is_none() {
        for timestamp in [
            json!(null),
            json!(-1),
            json!(253_402_300_800_u64),
            json!(1e308),
            json!("inf"),
            json!("NaN"),
            json!("yesterday"),
            json!(""),
            json!("1969-12-31T23:59:59Z"),
            json!([1]),
            json!({}),
            json!(true),
        ] {
            assert_eq!(milliseconds(&timestamp), None, "{timestamp}");
        }
    }
}
