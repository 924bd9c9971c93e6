use super::*;

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

#[test]
fn a_step_of_the_wall_clock_makes_nothing_older() {
    let clock = Clock::start();
    let began = clock.wall_ms;
    assert!(clock.now_ms(began + DAY_MS) < began + DAY_MS / 2, "forward");
    assert_eq!(clock.now_ms(began - DAY_MS), began - DAY_MS, "backward: it is only later that they are old");
}
