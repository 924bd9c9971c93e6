//! A home in which Discord does not let the bot post still sorts.

use super::{super::all, *};

#[test]
fn a_closed_home_sorts_and_buries_only_what_stays() {
    let accepted = alerts(&["other", "web", "noise", "quiet", "kept", "web"]);
    let (first, later) = accepted.split_at(1);
    let mut sorted = 0;
    let histories = all(1, async |world| {
        world.lock().rules.insert(CHANNEL, usual());
        world.lock().closed = Some(CHANNEL);
        history(&world, first, |_| {}).await;
        // It is not tried again.
        world.lock().may_be_refused = false;
        history(&world, later, |world| world.copy_ids.clear()).await;
        let world = world.lock();
        world.check_places(&accepted, &["noise", "quiet"]);
        if world.unlucky + world.denied == 0 {
            let counts = world.counts(CHANNEL);
            assert_eq!((counts.routed, counts.dropped, counts.muted), (2, 1, 1));
            let dead: Vec<String> = world.dead().into_iter().filter_map(|dead| dead.alert?.title).collect();
            assert_eq!(dead, ["title-1.", "title-5."]);
            sorted += 1;
        }
    });
    assert!(histories > 20 && sorted > histories / 2, "{histories}, {sorted}");
}
