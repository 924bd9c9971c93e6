use super::*;

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

#[test]
fn a_step_of_the_wall_clock_makes_nothing_older() {
    let clock = Clock::start();
    let began = clock.began.1;
    assert!(clock.age_ms(began + DAY_MS) < began + DAY_MS / 2, "forward");
    assert_eq!(clock.age_ms(began - DAY_MS), began - DAY_MS, "backward: it is only later that they are old");
}

#[test]
fn a_process_that_starts_a_day_ahead_of_nats_makes_nothing_older() {
    let clock = Clock::start();
    let (now, ahead) = (Instant::now(), clock.began.1);
    *clock.nats.lock().expect("no panic while held") = Some((now, ahead - DAY_MS));
    assert!(clock.age_ms(ahead) < ahead - DAY_MS / 2);
    *clock.nats.lock().expect("no panic while held") = Some((now, ahead + DAY_MS));
    assert!(clock.age_ms(ahead) < ahead + DAY_MS / 2);
}
