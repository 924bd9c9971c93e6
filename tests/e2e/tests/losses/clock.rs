//! The wall clock jumps: by seconds and by a day, forward and back, at either
//! service, and before discord-service starts.

use std::time::Duration;

use e2e::{Stack, publish};
use harness::{
    clock::WallClock,
    wait::{SOON, wait_for},
};
use sandbox_discord::{Config, Effect, Fault, Limit};

use crate::{HEALED, Load, works};

const DAY: i64 = 24 * 60 * 60;
const STEPS: [i64; 4] = [8, -8, DAY, -DAY];
/// A step of a day is longer than an alert may wait.
const MAX_AGE_SECS: i64 = DAY / 2;

#[tokio::test(flavor = "multi_thread")]
async fn a_step_of_a_wall_clock_costs_a_pause_and_no_alert() {
    let [ours, theirs] = [WallClock::new(), WallClock::new()];
    let discord = Config::default().clocks(|clocks| {
        clocks.identify_window = Duration::from_millis(200);
        clocks.channel = Limit::new(5, Duration::from_millis(250));
    });
    let mut builder = Stack::builder().sandbox(discord).discord("ALERT_MAX_AGE_SECS", MAX_AGE_SECS);
    for ((name, ours), (_, theirs)) in ours.variables().into_iter().zip(theirs.variables()) {
        builder = builder.discord(name, ours).ingress(name, theirs);
    }
    let mut stack = builder.start().await;
    let [channel, slow] = [stack.authorized_channel("alerts").await, stack.authorized_channel("slow").await];
    works(&stack, channel, "before").await;
    // A backlog that waits all the while.
    stack.sandbox.add_fault(Fault::new(Effect::Status(503)).on_channel(slow));
    let waiting: Vec<String> = (0..20).map(|number| format!("waits {number}")).collect();
    publish(&stack, slow, waiting.clone()).await;

    let load = Load::new();
    let steps = async {
        for (service, clock) in [("discord-service", &ours), ("the ingress", &theirs)] {
            for seconds in STEPS {
                clock.step(seconds);
                works(&stack, channel, &format!("{seconds} s at {service}")).await;
                clock.step(0);
                works(&stack, channel, &format!("back from {seconds} s at {service}")).await;
            }
        }
    };
    load.during(&stack, channel, steps).await;

    for seconds in [DAY, -DAY] {
        ours.step(seconds);
        stack.discord.restart();
        works(&stack, channel, &format!("started {seconds} s off")).await;
    }
    stack.sandbox.clear_faults();
    wait_for("the backlog is shown", HEALED, || async {
        let shown = stack.shown(slow);
        waiting.iter().all(|title| shown.iter().any(|shown| shown.title == *title)).then_some(())
    })
    .await;
    stack.until_drained(SOON).await;
    assert_eq!(load.missing(&stack, channel).await, Vec::<String>::new());
    assert!(stack.dead_letters().await.is_empty(), "none expires");
}
