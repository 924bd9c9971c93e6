//! What goes elsewhere does not wait for a post in the home.

use std::time::Duration;

use tokio::sync::mpsc;

use super::{
    super::{all, awake, discord::Held},
    *,
};

#[test]
fn a_post_that_hangs_or_waits_for_limits_holds_up_nothing_for_other_channels() {
    let accepted = alerts(&["other", "web", "noise", "later"]);
    for held in [Held::Request, Held::Limits] {
        all(0, async |world| {
            world.lock().rules.insert(CHANNEL, usual());
            world.lock().held = Some((CHANNEL, held));
            world.accept(&accepted[0]);
            let (wake, wakes) = mpsc::channel(1);
            let home = awake(services(&world), CHANNEL, wakes);
            let outside = async {
                let hour = Duration::from_secs(3_600);
                assert!(world.becomes(hour, |world| world.holding > 0).await, "nothing is posted");
                accepted[1..3].iter().for_each(|alert| world.accept(alert));
                wake.send(()).await.expect("a lane");
                let second = Duration::from_secs(1);
                let has_left = |world: &FakeState| {
                    let counts = world.counts(CHANNEL);
                    (counts.routed, counts.dropped) == (1, 1) && world.stream.len() == 2
                };
                assert!(world.becomes(second, has_left).await, "{held:?}: it waits for the post");
                assert!(world.lock().messages.is_empty(), "the post is not held");
                // A new rule holds meanwhile, also for what comes then.
                let all = vec![rule(4, "later", Action::Drop)];
                world.lock().rules.insert(CHANNEL, rules(all, Vec::new()));
                world.accept(&accepted[3]);
                wake.send(()).await.expect("a lane");
                let is_dropped = |world: &FakeState| world.counts(CHANNEL).dropped == 2;
                assert!(world.becomes(second, is_dropped).await, "{held:?}: the rule waits for the post");
                world.lock().rules.insert(CHANNEL, usual());
                world.lock().held = None;
                drop(wake);
            };
            tokio::join!(home, outside);
            assert!(live(&world).await);
            let all = world.lock().found(&accepted);
            let shown =
                all.values().map(|found| (found.home, found.target, found.dead + found.dead_in_target));
            assert_eq!(shown.collect::<Vec<_>>(), [(1, 0, 0), (0, 1, 0), (0, 0, 0), (0, 0, 0)]);
        });
    }
}
