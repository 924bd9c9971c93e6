use super::*;

const ALERT: Priority = Priority::Alert;
const COMMAND: Priority = Priority::Command;
const SECOND: Duration = Duration::from_secs(1);

fn told(limit: u32, remaining: u32) -> Window {
    Window { limit, remaining, reset_after: SECOND }
}

#[test]
fn only_one_request_goes_before_anything_is_known() {
    let (bucket, now) = (RateBucket::default(), Instant::now());
    assert_eq!(bucket.take(ALERT, now), Take::Go);
    assert_eq!(bucket.take(ALERT, now), Take::AfterAnother);
    bucket.end();
    assert_eq!(bucket.take(ALERT, now), Take::Go);
}

#[test]
fn no_more_go_than_the_answer_left() {
    let (bucket, now) = (RateBucket::default(), Instant::now());
    assert_eq!(bucket.take(ALERT, now), Take::Go);
    bucket.learn(told(3, 2), true, now);
    bucket.end();
    assert!((bucket.used(now) - 1.0 / 3.0).abs() < 1e-9);
    assert_eq!([bucket.take(ALERT, now), bucket.take(ALERT, now)], [Take::Go, Take::Go]);
    assert_eq!(bucket.take(ALERT, now), Take::At(now + SECOND + SAFETY));
    assert_eq!((bucket.used(now), bucket.used(now + 2 * SECOND)), (1.0, 0.0));
    let next = now + SECOND + SAFETY;
    assert_eq!(bucket.take(ALERT, next), Take::Go, "two of the last window are still on their way");
    assert_eq!(bucket.take(ALERT, next), Take::AfterAnother);
}

#[test]
fn an_answer_of_the_same_window_gives_nothing_back() {
    let (bucket, now) = (RateBucket::default(), Instant::now());
    bucket.learn(told(5, 3), false, now);
    assert_eq!([bucket.take(ALERT, now), bucket.take(ALERT, now)], [Take::Go, Take::Go]);
    bucket.learn(told(5, 2), true, now);
    bucket.end();
    assert_eq!(bucket.take(ALERT, now), Take::Go);
    assert_eq!(bucket.take(ALERT, now), Take::At(now + SECOND + SAFETY));
}

#[test]
fn a_late_answer_of_the_last_window_changes_nothing() {
    let (bucket, now) = (RateBucket::default(), Instant::now());
    bucket.learn(told(5, 3), false, now + SECOND);
    bucket.learn(Window { reset_after: Duration::ZERO, ..told(5, 0) }, false, now);
    assert_eq!(bucket.take(ALERT, now + SECOND), Take::Go);
}

#[test]
fn a_window_without_any_answer_is_asked_again_with_one_request() {
    let (bucket, now) = (RateBucket::default(), Instant::now());
    bucket.learn(told(1, 0), false, now);
    let later = now + 2 * SECOND;
    assert_eq!(bucket.take(ALERT, later), Take::Go);
    assert_eq!(bucket.take(ALERT, later), Take::AfterAnother);
    bucket.end();
    assert_eq!(bucket.take(ALERT, later), Take::Go);
    assert_eq!(bucket.take(ALERT, later), Take::AfterAnother);
}

#[test]
fn a_429_blocks_and_is_not_idle() {
    let (bucket, now) = (RateBucket::default(), Instant::now());
    bucket.block(now + SECOND);
    assert_eq!(bucket.take(ALERT, now), Take::At(now + SECOND));
    assert!(!bucket.is_idle(now));
    assert!(bucket.is_idle(now + SECOND));
}

#[test]
fn commands_leave_two_fifths_of_a_window_to_alerts() {
    for (limit, commands) in [(1, 1), (2, 1), (3, 1), (4, 2), (5, 3), (10, 6), (50, 30)] {
        let (bucket, now) = (RateBucket::default(), Instant::now());
        bucket.learn(told(limit, limit), false, now);
        let went = |priority| (0..100).take_while(|_| bucket.take(priority, now) == Take::Go).count();
        assert_eq!(went(COMMAND), commands, "of {limit}");
        assert_eq!(bucket.take(COMMAND, now), Take::At(now + SECOND + SAFETY));
        assert_eq!(went(ALERT), limit as usize - commands, "of {limit}");
        assert_eq!(bucket.take(ALERT, now), Take::At(now + SECOND + SAFETY));
    }
}

#[test]
fn no_command_goes_while_an_alert_waits() {
    let (bucket, now) = (Arc::new(RateBucket::default()), Instant::now());
    bucket.learn(told(5, 5), false, now);
    let (one, other) = (bucket.queue(ALERT), bucket.queue(ALERT));
    assert_eq!(bucket.take(COMMAND, now), Take::AfterAnother);
    drop(one);
    assert_eq!(bucket.take(COMMAND, now), Take::AfterAnother);
    assert_eq!(bucket.take(ALERT, now), Take::Go);
    drop(other);
    let waits = bucket.queue(COMMAND);
    assert_eq!(bucket.take(COMMAND, now), Take::Go, "a command waits for no other");
    assert!(!bucket.is_idle(now + 2 * SECOND));
    bucket.end();
    bucket.end();
    assert!(!bucket.is_idle(now + 2 * SECOND), "one waits");
    drop(waits);
    assert!(bucket.is_idle(now + 2 * SECOND));
}

#[test]
fn a_command_may_ask_what_the_window_is_like() {
    let (bucket, now) = (RateBucket::default(), Instant::now());
    bucket.learn(told(5, 5), false, now);
    let later = now + 2 * SECOND;
    assert_eq!([(); 3].map(|()| bucket.take(COMMAND, later)), [Take::Go, Take::Go, Take::Go]);
    assert_eq!(bucket.take(COMMAND, later), Take::AfterAnother);
    for _ in 0..3 {
        bucket.end();
    }
    assert_eq!(bucket.take(COMMAND, later), Take::Go, "none of the three was answered");
    assert_eq!(bucket.take(COMMAND, later), Take::AfterAnother);
}

#[test]
fn answers_whose_resets_are_close_are_of_one_window() {
    let told_of = |remaining, reset_after| Window { limit: 5, remaining, reset_after };
    for (remaining, reset_after, left, resets) in [
        (1, SECOND - SAME_WINDOW, 1, SECOND),
        (4, SECOND + SAME_WINDOW, 3, SECOND + SAME_WINDOW),
        (4, 2 * SECOND, 4, 2 * SECOND),
    ] {
        let (bucket, now) = (RateBucket::default(), Instant::now());
        bucket.learn(told(5, 3), false, now);
        assert_eq!(bucket.free_at(), None);
        bucket.learn(told_of(remaining, reset_after), false, now);
        for _ in 0..left {
            assert_eq!(bucket.take(ALERT, now), Take::Go, "{reset_after:?}");
        }
        assert_eq!(bucket.take(ALERT, now), Take::At(now + resets + SAFETY), "{reset_after:?}");
        assert_eq!(bucket.free_at(), Some(now + resets + SAFETY));
    }
}

#[test]
fn a_window_that_no_answer_told_of_is_neither_used_nor_in_the_way() {
    let (bucket, now) = (RateBucket::default(), Instant::now());
    assert!(bucket.is_idle(now));
    bucket.learn(told(5, 5), false, now);
    let later = now + 2 * SECOND;
    assert_eq!([(); 3].map(|()| bucket.take(ALERT, later)), [Take::Go, Take::Go, Take::Go]);
    assert!(bucket.used(later) < 1e-9);
    bucket.end();
    bucket.end();
    assert!(!bucket.is_idle(later), "one is under way");
    // What went without an answer may have been counted.
    bucket.learn(told(5, 4), true, later);
    assert_eq!([(); 2].map(|()| bucket.take(ALERT, later)), [Take::Go, Take::Go]);
    assert_eq!(bucket.take(ALERT, later), Take::At(later + SECOND + SAFETY));
    bucket.end();
    let next = later + 2 * SECOND;
    assert_eq!([(); 3].map(|()| bucket.take(ALERT, next)), [Take::Go, Take::Go, Take::Go]);
    assert_eq!(bucket.take(ALERT, next), Take::AfterAnother, "two are still under way");
    (0..5).for_each(|_| bucket.end());
    assert!(bucket.is_idle(next));
    let bucket = Arc::new(bucket);
    let waits = bucket.queue(ALERT);
    assert!(!bucket.is_idle(next));
    drop(waits);
}
