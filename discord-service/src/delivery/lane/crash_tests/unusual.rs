//! Rare failures: a roll-back, a single post that fails, a try too many.

use std::time::Duration;

use tokio::time::Instant;

use super::{CHANNEL, all, changes, event, events, history, live, world::Fails};
use crate::dead_letters::DeadLetterReason;

/// What only a newer build can read.
const NEWER: &[u8] = br#"{"v":99}"#;

#[test]
fn a_roll_back_that_meets_a_newer_alert_loses_and_doubles_none_of_its_post() {
    let alerts = [event(1, "alpha"), event(2, "bravo"), event(3, "charlie")];
    let mut met = 0;
    let histories = all(1, async |world| {
        alerts.iter().for_each(|alert| world.accept(alert));
        // The newer build lives first, and the first alert is as it wrote it.
        let mut newer = 0;
        while !live(&world).await {
            world.lock().store(CHANNEL, None, NEWER.into());
            newer += 1;
            if let Some(first) = world.lock().stream.get_mut(&1) {
                first.payload = NEWER.into();
            }
        }
        let world = world.lock();
        let (shown, dead) = (world.seen.iter().any(|shown| shown.contains("alpha")), world.dead());
        let unreadable: Vec<_> = dead.iter().filter(|letter| letter.alert.is_none()).collect();
        let of_first = unreadable.len() - newer;
        world.check_events(&alerts[of_first..], false);
        let unsure = unreadable.iter().any(|letter| letter.may_have_been_posted);
        assert!(of_first == 0 || !shown || unsure, "the newer alert is doubled: {dead:?}");
        met += newer;
    });
    assert!(histories > 10 && met > 0, "{histories}, {met}");
}

#[test]
fn no_crash_loses_or_doubles_an_alert_where_there_is_room_for_few() {
    let folded = || (1..=9).map(|number| event(number, ["alpha", "bravo"][(number % 2) as usize]));
    let few = Some((0, 2));
    // A process with more room may have begun a post that its successor has no
    // room for.
    for (at_first, later, refuses) in [
        (few, few, None),
        (None, few, None),
        (None, Some((4, 1)), None),
        (few, few, Some("alpha")),
        (None, few, Some("alpha")),
    ] {
        for alerts in [&events()[..], &folded().collect::<Vec<_>>(), &changes()] {
            let histories = all(1, async |world| {
                (world.lock().room, world.lock().refuses) = (at_first, refuses);
                alerts.iter().for_each(|alert| world.accept(alert));
                while !live(&world).await {
                    world.lock().room = later;
                }
                world.lock().check_events(alerts, false);
                if refuses.is_none() && alerts == changes() {
                    world.lock().check_changes(alerts);
                }
            });
            assert!(histories > 20, "{histories}");
        }
    }
}

#[test]
fn a_post_that_alone_fails_for_five_minutes_is_given_up() {
    for (answered_4xx, evils) in [(true, 0), (false, 0), (true, 1), (false, 1)] {
        let histories = all(evils, async |world| {
            world.lock().fails = Some(Fails { text: "alpha", until: None, answered_4xx });
            let began = Instant::now();
            let accepted = history(&world, &events(), &[event(5, "delta")], false).await;
            let world = world.lock();
            world.check_events(&accepted, false);
            let dead = world.dead();
            assert!(dead.len() >= 2, "both of the embed: {}", dead.len());
            if evils == 0 {
                assert!(began.elapsed() >= Duration::from_secs(5 * 60), "{:?}", began.elapsed());
                // Where it may have been created, so may what shared its post.
                assert!(dead.iter().all(|letter| letter.may_have_been_posted != answered_4xx));
                assert_eq!(dead.len() == 2, answered_4xx);
                assert!(dead.iter().all(|letter| letter.reason == DeadLetterReason::Refused));
            }
        });
        assert!(histories > 30 * evils, "{histories}");
    }
}

#[test]
fn a_post_that_fails_as_all_else_does_is_not_given_up() {
    all(0, async |world| {
        let until = Some(Instant::now() + Duration::from_secs(20 * 60));
        world.lock().fails = Some(Fails { text: "", until, answered_4xx: true });
        world.lock().others_succeed = false;
        let accepted = history(&world, &events(), &[], false).await;
        world.lock().check_events(&accepted, false);
        assert!(world.lock().dead().is_empty());
    });
}

#[test]
fn a_closed_channel_is_not_tried_while_too_much_was_refused() {
    all(0, async |world| {
        world.lock().closed_until = 100;
        let later = [event(2, "bravo"), event(3, "charlie")];
        world.accept(&event(1, "alpha"));
        assert!(live(&world).await);
        world.lock().may_be_refused = false;
        let mut accepted = history(&world, &later, &[], false).await;
        accepted.push(event(1, "alpha"));
        assert_eq!(world.lock().closed_until, 99, "it cost more than one request");
        world.lock().check_events(&accepted, false);
        world.lock().may_be_refused = true;
        world.accept(&event(4, "delta"));
        assert!(live(&world).await);
        assert_eq!(world.lock().closed_until, 98, "it is not tried any more");
    });
}
