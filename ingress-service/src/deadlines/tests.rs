use super::*;

#[test]
fn every_sender_has_its_answer_before_it_gives_up() {
    let started = Instant::now();
    let at = |modern| Deadlines::of(modern, started).hold() - started;
    assert_eq!((at(false), at(true)), (Duration::from_millis(2_500), Duration::from_millis(700)));
    assert!(HOLD_LEGACY + ANSWER_WITHIN < Duration::from_secs(5));
    assert!(HOLD_MODERN + MODERN_ANSWER_WITHIN < Duration::from_secs(1));
    assert!(ANSWER_WITHIN < Duration::from_millis(500) && STORE_WITHIN < MODERN_ANSWER_WITHIN);
}
