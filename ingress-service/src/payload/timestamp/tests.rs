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
