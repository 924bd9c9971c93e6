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
