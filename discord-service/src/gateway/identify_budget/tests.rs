use super::*;

const HOUR: Duration = Duration::from_secs(3600);
const LONG_AGO: Option<Duration> = Some(Duration::from_secs(86_400));
const JUST_NOW: Option<Duration> = Some(Duration::ZERO);

fn left(remaining: u32) -> StartLimit {
    StartLimit { total: 1000, remaining, reset_after: 10 * 3_600_000, max_concurrency: 1 }
}

#[test]
fn a_tenth_and_at_least_one_a_shard_is_in_reserve() {
    let of = |total, max_concurrency| StartLimit { total, max_concurrency, ..left(total) };
    assert_eq!(of(1000, 1).reserve(1), 100);
    assert_eq!(of(1001, 1).reserve(1), 101, "a tenth at least");
    assert_eq!(of(1000, 1).reserve(250), 250);
    assert_eq!(of(50, 16).reserve(1), 16, "beyond those that are never used");
    assert_eq!(of(4, 1).reserve(9), 3, "one can be used");
    assert_eq!(of(0, 0).reserve(0), 0);
}

#[test]
fn whoever_identifies_again_leaves_the_reserve_alone() {
    for since in [JUST_NOW, LONG_AGO] {
        for remaining in [0, 1, 99, 100] {
            assert_eq!(left(remaining).wait(1, since), Some(10 * HOUR), "{remaining}");
        }
        assert_eq!(left(200).wait(200, since), Some(10 * HOUR), "one a shard");
    }
    assert_eq!(left(101).wait(1, LONG_AGO), None);
}

#[test]
fn a_first_identify_may_use_the_reserve_but_never_the_last() {
    for remaining in [2, 100, 1000] {
        assert_eq!(left(remaining).wait(1, None), None);
    }
    for remaining in [0, 1] {
        assert_eq!(left(remaining).wait(1, None), Some(10 * HOUR));
    }
    let sixteen_at_once = StartLimit { max_concurrency: 16, ..left(16) };
    assert_eq!(sixteen_at_once.wait(1, None), Some(10 * HOUR));
    assert_eq!(StartLimit { remaining: 17, ..sixteen_at_once }.wait(1, None), None);
    assert_eq!(StartLimit { max_concurrency: 0, ..left(1) }.wait(1, None), Some(10 * HOUR));
}

#[test]
fn beyond_half_of_the_day_what_is_left_is_spread() {
    assert_eq!(left(1000).wait(1, JUST_NOW), None);
    assert_eq!(left(500).wait(1, JUST_NOW), None);
    // 300 beyond the reserve in ten hours: one in two minutes.
    let two_minutes = Duration::from_secs(120);
    assert_eq!(left(400).wait(1, JUST_NOW), Some(two_minutes));
    assert_eq!(left(400).wait(1, Some(two_minutes / 3)), Some(two_minutes / 3 * 2));
    assert_eq!(left(400).wait(1, Some(two_minutes)), None);
    assert_eq!(left(101).wait(1, Some(HOUR)), Some(9 * HOUR));
}
