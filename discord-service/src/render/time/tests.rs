use super::*;

const SECOND: i64 = 1_000;

#[test]
fn a_time_is_day_month_year_in_utc() {
    assert_eq!(utc(0).as_deref(), Some("01-01-1970 00:00:00"));
    assert_eq!(utc(1_763_905_862_999).as_deref(), Some("23-11-2025 13:51:02"));
    assert_eq!(utc(253_402_300_799_999).as_deref(), Some("31-12-9999 23:59:59"));
}

#[test]
fn a_time_out_of_range_is_none() {
    for ms in [i64::MIN, -1, 253_402_300_800_000, i64::MAX] {
        assert_eq!(utc(ms), None, "{ms}");
    }
}

#[test]
fn a_text_that_is_a_time_is_told_as_how_long_ago() {
    let at = Some("<t:1763819462:R>");
    for text in
        ["2025-11-22T13:51:02.123456+00:00", " 2025-11-22T13:51:02Z\n", "2025-11-22T15:51:02.567035024+02:00"]
    {
        assert_eq!(ago_of(text).as_deref(), at, "{text}");
    }
    for text in ["", "Never", "2025-11-22", "2025-11-22T13:51:02Z <@1>", "0001-01-01T00:00:00Z"] {
        assert_eq!(ago_of(text), None, "{text}");
    }
}

#[test]
fn a_count_names_its_span() {
    let start = 1_763_905_862 * SECOND;
    assert_eq!(
        occurrences(3, start, start + 60 * SECOND),
        "×3 from 23-11-2025 13:51:02 to 23-11-2025 13:52:02"
    );
    assert_eq!(occurrences(3, start + SECOND, start), occurrences(3, start, start + SECOND));
    assert_eq!(occurrences(2, start, start), "×2 at 23-11-2025 13:51:02");
    assert_eq!(occurrences(2, start, i64::MAX), "×2 at 23-11-2025 13:51:02");
    assert_eq!(occurrences(2, i64::MIN, i64::MAX), "×2");
}

#[test]
fn a_pace_is_told_in_the_largest_unit_that_says_enough() {
    for (seconds, said) in [
        (0, "×3 in 1 s"),
        (59, "×3 in 59 s"),
        (182, "×3 in 3 min"),
        (3_600, "×3 in 1 h"),
        (100_000, "×3 in 28 h"),
        (200_000, "×3 in 2 days"),
    ] {
        assert_eq!(pace(3, 5_000, 5_000 + seconds * 1_000), said);
    }
    assert_eq!(pace(3, i64::MIN, i64::MAX), "×3 in 213503982335 days");
}
