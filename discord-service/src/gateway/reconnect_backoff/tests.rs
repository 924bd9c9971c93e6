use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn seconds(next: NextConnection) -> (f64, f64) {
    (next.wait.0.as_secs_f64(), next.wait.1.as_secs_f64())
}

/// The waits after as many connections of this outcome, and whether the session is given up.
fn noted(tries: &mut ReconnectBackoff, outcome: ConnectionOutcome, times: usize) -> Vec<((f64, f64), bool)> {
    let next = (0..times).map(|_| tries.note(outcome, true));
    next.map(|next| (seconds(next), next.gives_up)).collect()
}

#[test]
fn a_session_that_was_up_ends_every_row() {
    let mut tries = ReconnectBackoff::default();
    for _ in 0..50 {
        assert_eq!(noted(&mut tries, ConnectionOutcome::Up(5 * SECOND), 1), [((0.0, 0.0), false)]);
        assert_eq!(noted(&mut tries, ConnectionOutcome::Up(4 * SECOND), 1), [((0.5, 1.0), false)]);
        assert_eq!(noted(&mut tries, ConnectionOutcome::SessionOver, 1), [((0.5, 1.0), false)]);
        assert_eq!(noted(&mut tries, ConnectionOutcome::Unreached, 1), [((1.0, 2.0), false)]);
        assert_eq!(noted(&mut tries, ConnectionOutcome::Unresumed, 1), [((1.0, 2.0), false)]);
        assert_eq!(noted(&mut tries, ConnectionOutcome::InVain, 1), [((1.0, 2.0), false)]);
    }
}

#[test]
fn a_session_that_is_over_is_begun_anew_soon_however_often() {
    let mut tries = ReconnectBackoff::default();
    for _ in 0..50 {
        assert_eq!(seconds(tries.note(ConnectionOutcome::SessionOver, false)), (0.5, 1.0));
        assert_eq!(seconds(tries.note(ConnectionOutcome::Up(SECOND), false)), (0.5, 1.0));
        assert_eq!(seconds(tries.note(ConnectionOutcome::Up(SETTLED), false)), (0.5, 1.0));
    }
}

#[test]
fn a_session_is_given_up_after_unanswered_tries_in_a_row() {
    let mut tries = ReconnectBackoff::default();
    for _ in 0..5 {
        let waits = noted(&mut tries, ConnectionOutcome::Unresumed, 2);
        assert_eq!(waits, [((1.0, 2.0), false), ((2.0, 4.0), false)]);
        tries.note(ConnectionOutcome::Up(SECOND), true);
    }
    let waits = noted(&mut tries, ConnectionOutcome::Unresumed, 4);
    assert_eq!(waits.iter().map(|(_, gives_up)| *gives_up).collect::<Vec<_>>(), [false, false, true, false]);
    tries.note(ConnectionOutcome::SessionOver, false);
    assert_eq!(noted(&mut tries, ConnectionOutcome::Unresumed, 1), [((1.0, 2.0), false)]);
}

#[test]
fn a_session_outlives_half_a_minute_in_which_nothing_is_reached() {
    let mut tries = ReconnectBackoff::default();
    let waits = noted(&mut tries, ConnectionOutcome::Unreached, 6);
    let longest = [2.0, 4.0, 8.0, 16.0, 30.0, 30.0];
    assert_eq!(waits.iter().map(|((_, longest), _)| *longest).collect::<Vec<_>>(), longest);
    assert!(waits[..5].iter().all(|(_, gives_up)| !gives_up) && waits[5].1);
    assert!(!tries.note(ConnectionOutcome::Unreached, false).gives_up, "there is none");
    // What was reached in between ends the row.
    for reached in [ConnectionOutcome::Unresumed, ConnectionOutcome::SessionOver, ConnectionOutcome::InVain] {
        let mut tries = ReconnectBackoff::default();
        noted(&mut tries, ConnectionOutcome::Unreached, 5);
        tries.note(reached, true);
        assert_eq!(noted(&mut tries, ConnectionOutcome::Unreached, 1), [((1.0, 2.0), false)], "{reached:?}");
    }
}

#[test]
fn identifies_in_vain_wait_longer_each_time_up_to_two_minutes() {
    let mut tries = ReconnectBackoff::default();
    let waits: Vec<_> = (0..9).map(|_| seconds(tries.note(ConnectionOutcome::InVain, false)).1).collect();
    assert_eq!(waits, [2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 120.0, 120.0, 120.0]);
    assert_eq!(backoff(u32::MAX, LONGEST_IN_VAIN), (60 * SECOND, 120 * SECOND));
    assert_eq!(backoff(0, LONGEST), (SECOND, 2 * SECOND));
}

#[test]
fn a_wait_is_within_its_bounds() {
    let next = NextConnection { gives_up: false, wait: (SECOND, 5 * SECOND) };
    let waits: Vec<_> = (0..100).map(|_| next.wait()).collect();
    assert!(waits.iter().all(|wait| (SECOND..=5 * SECOND).contains(wait)), "{waits:?}");
    assert!(waits.windows(2).any(|two| two[0] != two[1]), "they differ");
    assert!((15 * SECOND..=30 * SECOND).contains(&ask_again(9)));
}
