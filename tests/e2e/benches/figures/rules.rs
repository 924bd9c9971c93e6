//! What rules cost each alert that they are asked about.

use std::time::Duration;

use e2e::{Stack, publish};
use sandbox_discord::{Config, Limit};

use crate::{Figure, ratio};

/// As many as a channel may have.
const RULES: usize = 25;
/// Alerts of each round.
const ALERTS: usize = 1_000;
/// Rounds of each, in turns, so that a noisy moment hits both.
const ROUNDS: usize = 7;
const SETTLED: Duration = Duration::from_secs(120);

pub(crate) async fn figures() -> Vec<Figure> {
    let sandbox = Config::default().clocks(|clocks| {
        clocks.identify_window = Duration::from_millis(200);
        clocks.channel = Limit::new(100_000, Duration::from_secs(1));
    });
    let stack = Stack::builder().sandbox(sandbox).start().await;
    let [sorted, plain] = [stack.authorized_channel("sorted").await, stack.authorized_channel("plain").await];
    let target = stack.authorized_channel("target").await.to_string();
    for number in 0..RULES {
        let project = format!("backend-*-{number}");
        let options = [("action", "route"), ("to", target.as_str()), ("project", project.as_str())];
        let said = stack.whisper("sentry rule add", sorted, &options).await.content().to_owned();
        assert!(said.starts_with(&format!("Rule {}: ", number + 1)), "{said}");
    }
    let (mut ours, mut baseline) = (Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        let costs = [cost(&stack, sorted, round).await, cost(&stack, plain, round).await];
        // The first one warms up.
        if round > 0 {
            ours.push(costs[0]);
            baseline.push(costs[1]);
        }
    }
    let least = |costs: Vec<Duration>| costs.into_iter().min().expect("there was a round") / ALERTS as u32;
    let (ours, baseline) = (least(ours), least(baseline));
    vec![Figure {
        what: "processor time of discord-service for an alert of a storm, in a channel with 25 rules that match none; baseline: a channel without rules",
        ours: format!("{} µs", ours.as_micros()),
        baseline: format!("{} µs", baseline.as_micros()),
        ratio: ratio(ours, baseline),
    }]
}

/// The processor time until all are posted.
async fn cost(stack: &Stack, channel: u64, round: usize) -> Duration {
    stack.until_drained(SETTLED).await;
    let before = stack.discord.cpu();
    publish(stack, channel, (0..ALERTS).map(|number| format!("alert {round} {number}"))).await;
    stack.until_drained(SETTLED).await;
    stack.discord.cpu() - before
}
