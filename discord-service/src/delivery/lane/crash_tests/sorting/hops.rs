//! The way from the home to the target.

use std::sync::Arc;

use super::{super::all, *};

#[test]
fn every_alert_ends_in_one_place_whatever_dies() {
    let accepted = alerts(&["web", "noise", "other", "web", "quiet", "kept"]);
    for window_passes in [false, true] {
        let histories = all(1, async |world| {
            world.lock().rules.insert(CHANNEL, usual());
            history(&world, &accepted, |world| {
                if window_passes {
                    world.copy_ids.clear();
                }
            })
            .await;
            world.lock().check_places(&accepted, &["noise", "quiet"]);
        });
        assert!(histories > 60, "{histories}");
    }
}

#[test]
fn two_failures_double_and_lose_nothing_on_the_way() {
    let accepted = alerts(&["web"]);
    let histories = all(2, async |world| {
        world.lock().rules.insert(CHANNEL, usual());
        history(&world, &accepted, |world| world.copy_ids.clear()).await;
        world.lock().check_places(&accepted, &[]);
    });
    assert!(histories > 500, "{histories}");
}

#[test]
fn rules_that_change_between_two_lives_decide_each_alert_once() {
    let accepted = alerts(&["web", "noise", "other", "web", "quiet"]);
    let others = [
        rules(Vec::new(), Vec::new()),
        rules(vec![rule(4, "web", Action::Drop), rule(5, "noise", Action::Route(TARGET))], Vec::new()),
        rules(vec![rule(1, "web", Action::Route(TARGET))], vec![mute(2, "*")]),
    ];
    for other in others {
        let histories = all(1, async |world| {
            world.lock().rules.insert(CHANNEL, usual());
            history(&world, &accepted, |world| {
                world.copy_ids.clear();
                world.rules.insert(CHANNEL, other.clone());
            })
            .await;
            let world = world.lock();
            let (all, counts) = (world.found(&accepted), world.counts(CHANNEL));
            let mut vanished = 0;
            for (title, found) in &all {
                let certain = found.home + found.target + found.dead + found.dead_in_target;
                assert!(certain - found.unsure.min(certain) <= 1, "{title} is doubled: {found:?}");
                vanished += usize::from(certain == 0);
            }
            assert_eq!((counts.dropped + counts.muted) as usize, vanished, "{counts:?} {all:?}");
        });
        assert!(histories > 60, "{histories}");
    }
}

#[test]
fn a_full_target_leaves_alerts_at_home_once() {
    let accepted = alerts(&["web", "web", "web"]);
    for room in [0, 1] {
        let histories = all(1, async |world| {
            world.lock().rules.insert(CHANNEL, usual());
            world.lock().room_in_target = room;
            history(&world, &accepted, |world| world.copy_ids.clear()).await;
            world.lock().check_places(&accepted, &[]);
        });
        assert!(histories > 20, "{histories}");
    }
}

#[test]
fn a_late_second_copy_is_dropped() {
    let accepted = alerts(&["web"]);
    all(0, async |world| {
        world.lock().rules.insert(CHANNEL, usual());
        accepted.iter().for_each(|alert| world.accept(alert));
        // The home's lane alone: the copy waits.
        lane(services(&world), CHANNEL).await;
        let copy = world.lock().stream.values().next().expect("a copy").clone();
        let again = |world: &Arc<FakeWorld>| {
            world.lock().store(TARGET, copy.id.clone(), copy.payload.clone());
        };
        again(&world);
        assert!(live(&world).await);
        again(&world);
        assert!(live(&world).await);
        world.lock().check_places(&accepted, &[]);
    });
}

#[test]
fn counts_are_read_as_the_records_have_them() {
    let accepted = alerts(&["web", "noise", "other", "web", "quiet", "kept", "kept"]);
    all(0, async |world| {
        world.lock().rules.insert(CHANNEL, usual());
        history(&world, &accepted, |_| {}).await;
        let counts = world.lock().counts(CHANNEL);
        let hits = counts.rules.iter().map(|(id, hit)| (*id, hit.count));
        assert_eq!(hits.collect::<Vec<_>>(), [(1, 2), (2, 1), (3, 2)]);
        assert_eq!(counts.mutes[&1].count, 1);
        assert_eq!((counts.routed, counts.dropped, counts.muted), (2, 1, 1));
        // Rules that are gone are forgotten, whichever record has their hits.
        world.lock().rules.insert(CHANNEL, rules(vec![rule(4, "web", Action::Route(TARGET))], Vec::new()));
        let later = [event(8, "later"), event(9, "later")];
        let later = later
            .into_iter()
            .zip(["web", "other"])
            .map(|(alert, project)| Alert { project: project.to_owned(), ..alert });
        history(&world, &later.collect::<Vec<_>>(), |_| {}).await;
        let counts = world.lock().counts(CHANNEL);
        assert_eq!(counts.rules.keys().collect::<Vec<_>>(), [&4]);
        assert_eq!((counts.routed, counts.dropped, counts.muted), (3, 1, 1));
    });
}
