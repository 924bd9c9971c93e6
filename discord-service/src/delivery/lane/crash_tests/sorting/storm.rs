//! A storm for another channel.

use std::time::Duration;

use shared::wire;
use tokio::{
    sync::mpsc,
    time::{Instant, sleep},
};

use super::{
    super::{CHANNEL, all, awake, lane, services, world::Fails},
    TARGET, alerts, rule, rules, usual,
};
use crate::rules::Action;

#[test]
fn what_stays_is_posted_while_a_storm_leaves() {
    let storm: Vec<&str> = std::iter::repeat_n("web", 600).chain(["other"]).collect();
    let accepted = alerts(&storm);
    all(0, async |world| {
        world.lock().rules.insert(CHANNEL, usual());
        accepted.iter().for_each(|alert| world.accept(alert));
        lane(services(&world), CHANNEL).await;
        let waited = world.lock().waited_at_posts.clone();
        assert!(waited.first().is_some_and(|waited| *waited > 1), "{waited:?}");
    });
}

#[test]
fn a_rule_that_is_gone_sends_nothing_more_in_a_storm_beside_a_failing_post() {
    let web_is_dropped = rules(vec![rule(4, "web", Action::Drop)], Vec::new());
    let [other, web] = &alerts(&["other", "web"])[..] else { unreachable!("two alerts") };
    all(0, async |world| {
        world.lock().rules.insert(CHANNEL, usual());
        let until = Some(Instant::now() + Duration::from_secs(60));
        world.lock().fails = Some(Fails { text: "title-1.", until, answered_4xx: true });
        world.lock().others_succeed = false;
        world.accept(other);
        let routed = || world.lock().on(&wire::alert_subject(TARGET), 0).count();
        let (wake, wakes) = mpsc::channel(1);
        let storm = async {
            let mut routed_before = 0;
            for number in 0..100 {
                world.accept(web);
                let _ = wake.try_send(());
                sleep(Duration::from_millis(50)).await;
                match number {
                    40 => drop(world.lock().rules.insert(CHANNEL, web_is_dropped.clone())),
                    // The rules are a second old.
                    60 => routed_before = routed(),
                    _ => {}
                }
            }
            (routed_before, routed())
        };
        let (before, after) = tokio::select! {
            () = awake(services(&world), CHANNEL, wakes) => unreachable!("the post fails"),
            routed = storm => routed,
        };
        assert!(before > 30, "{before} were routed");
        assert_eq!(before, after);
    });
}
