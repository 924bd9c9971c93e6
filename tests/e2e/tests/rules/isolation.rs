//! A storm in a home delays no alert that leaves it, and a storm that leaves it delays
//! none that stays.

use std::time::Duration;

use e2e::{Stack, alert, publish, publish_alerts, report, scaled, worst_but_one};
use sandbox_discord::{Config, Effect, Fault, Limit};
use shared::wire;
use tokio::time::{Instant, sleep_until};

use crate::scene::{LONG, POST, alert_of, route};

/// More than a channel's own limit takes between two posts.
const PACE: Duration = Duration::from_millis(450);
const LONE: usize = 6;

/// How long lone alerts of this project take until they are shown in the channel. One
/// of them may take longer.
async fn lone(stack: &Stack, home: u64, project: &str, channel: u64) -> Duration {
    let mut took = Vec::new();
    for number in 0..LONE {
        let already = stack.alerts(channel);
        let start = Instant::now();
        publish_alerts(stack, [alert_of(home, project, &format!("{project} {number} {already}"))]).await;
        stack.until_shown(channel, already + 1, LONG).await;
        took.push(start.elapsed());
        sleep_until(start + PACE).await;
    }
    worst_but_one(took)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storm_on_one_side_of_a_rule_does_not_delay_the_other() {
    let waiting = scaled(2_500, 10_000);
    let config = Config::default().clocks(|clocks| {
        clocks.identify_window = Duration::from_millis(200);
        clocks.channel = Limit::new(5, Duration::from_secs(2));
    });
    let stack = Stack::builder().sandbox(config).start().await;
    let [home, target, flooded] = [
        stack.authorized_channel("home").await,
        stack.authorized_channel("calm").await,
        stack.authorized_channel("flooded").await,
    ];
    route(&stack, home, target, &[("project", "calm")]).await;
    route(&stack, home, flooded, &[("project", "flood")]).await;
    let calm = lone(&stack, home, "calm", target);
    let (before, in_home) = tokio::join!(calm, lone(&stack, home, "backend-api", home));

    // A storm that leaves the home, which goes on.
    let storm = publish_alerts(
        &stack,
        (0..waiting).map(|number| alert_of(home, "flood", &format!("flood {number}"))),
    );
    let (stays, ()) = tokio::join!(lone(&stack, home, "backend-api", home), storm);
    assert!(stack.stored(wire::ALERTS).await > 0, "the storm still rages");

    // A storm in the home, whose posts wait for limits, then fail, then hang.
    let mut leaves = Vec::new();
    let storm = publish(&stack, home, (0..waiting).map(|number| format!("waits {number}")));
    let (time, ()) = tokio::join!(lone(&stack, home, "calm", target), storm);
    leaves.push(("waits", time));
    for (how, effect) in [("fails", Effect::Status(503)), ("hangs", Effect::Silence(Duration::from_secs(60)))]
    {
        stack.sandbox.add_fault(Fault::new(effect).on_endpoint(POST).on_channel(home));
        publish_alerts(&stack, (0..50).map(|number| alert(home, &format!("{how} {number}")))).await;
        leaves.push((how, lone(&stack, home, "calm", target).await));
    }
    report(&format!(
        "a lone alert's worst time but one: routed {before:?}, beside a storm in the home {leaves:?}; \
         kept {in_home:?}, beside a storm that is routed away {stays:?}"
    ));
    let second = Duration::from_secs(1);
    assert!(stays < in_home + second);
    assert!(leaves.iter().all(|(_, time)| *time < before + second), "{leaves:?}");
}
