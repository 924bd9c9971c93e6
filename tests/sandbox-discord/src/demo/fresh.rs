//! Payloads as if they came now: all their times are moved by the same span, so
//! that the latest of them is the present.

use chrono::{DateTime, Duration, NaiveDateTime, SecondsFormat, Utc};
use serde_json::Value;

/// Times of Sentry's payloads are after this; a smaller number is something else.
const EARLIEST: f64 = 1_400_000_000.0;
const LATEST: f64 = 4_000_000_000.0;
const WITHOUT_ZONE: [&str; 2] = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"];

/// Moves all times in the body.
pub(super) fn shift(body: &mut Value) {
    let mut latest = None;
    walk(body, "", &mut |value, name| latest = latest.max(time(value, name)));
    let Some(span) = latest.map(|latest| Utc::now() - latest) else { return };
    walk(body, "", &mut |value, name| replace(value, name, span));
}

/// Calls `act` with each string and number, and the name of its member.
fn walk(value: &mut Value, name: &str, act: &mut impl FnMut(&mut Value, &str)) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| walk(item, name, act)),
        Value::Object(members) => members.iter_mut().for_each(|(name, value)| walk(value, name, act)),
        _ => act(value, name),
    }
}

fn time(value: &Value, name: &str) -> Option<DateTime<Utc>> {
    match value {
        Value::String(text) => {
            let zoned = DateTime::parse_from_rfc3339(text).ok().map(|time| time.to_utc());
            let plain = || {
                let parse = |form: &&str| NaiveDateTime::parse_from_str(text, form).ok();
                WITHOUT_ZONE.iter().find_map(parse).map(|time| time.and_utc())
            };
            zoned.or_else(plain)
        }
        Value::Number(number) if is_time(name) => {
            let seconds = number.as_f64().filter(|seconds| (EARLIEST..LATEST).contains(seconds))?;
            DateTime::from_timestamp_micros((seconds * 1e6) as i64)
        }
        _ => None,
    }
}

fn is_time(name: &str) -> bool {
    name.contains("timestamp") || name == "received"
}

fn replace(value: &mut Value, name: &str, span: Duration) {
    let Some(time) = time(value, name).map(|time| time + span) else { return };
    *value = match value {
        Value::String(text) if text.ends_with('Z') => {
            time.to_rfc3339_opts(SecondsFormat::Micros, true).into()
        }
        Value::String(text) if DateTime::parse_from_rfc3339(text).is_ok() => time.to_rfc3339().into(),
        Value::String(_) => time.format("%Y-%m-%dT%H:%M:%S%.6f").to_string().into(),
        _ => (time.timestamp_micros() as f64 / 1e6).into(),
    };
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_latest_time_becomes_now_and_the_others_keep_their_distance() {
        let mut body = json!({
            "first": "2025-11-23T10:00:00Z", "event": { "timestamp": 1_763_892_060.5, "id": 1_763_892_000 },
            "list": ["2025-11-23T10:01:00.500000"], "text": "10:00",
        });
        shift(&mut body);
        let event = time(&body["event"]["timestamp"], "timestamp").expect("a time");
        let first = time(&body["first"], "").expect("a time");
        assert!((Utc::now() - event).num_seconds() < 5);
        assert_eq!((event - first).num_milliseconds(), 60_500);
        assert_eq!(body["event"]["id"], 1_763_892_000);
        assert_eq!(body["text"], "10:00");
    }
}
