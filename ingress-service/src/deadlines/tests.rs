use super::*;

#[test]
fn every_sender_has_its_answer_before_it_gives_up() {
    let timeouts = AnswerTimeouts::default();
    let started = Instant::now();
    let at = |modern| Deadlines::of(modern, started, &timeouts).hold() - started;
    assert_eq!((at(false), at(true)), (Duration::from_millis(2_500), Duration::from_millis(700)));
    assert!(HOLD_LEGACY + timeouts.answer < Duration::from_secs(5));
    assert!(HOLD_MODERN + timeouts.held_modern_answer < Duration::from_secs(1));
    assert!(timeouts.answer < Duration::from_millis(500) && timeouts.store < timeouts.held_modern_answer);
}
