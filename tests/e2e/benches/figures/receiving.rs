//! What a webhook costs until Sentry has its answer.

use std::time::{Duration, Instant};

use e2e::Stack;
use futures::{StreamExt as _, stream};
use harness::process::cpu;
use sentry_sender::{Sender, Trust, Webhook, body::Exception};

use crate::{Figure, bare::Bare, ratio};

/// Webhooks in each round, of a usual size.
const WEBHOOKS: usize = 1_000;
const BODY: usize = 20_000;
/// Connections at once, each for one webhook, as Sentry makes them.
const AT_ONCE: usize = 8;
/// Rounds of each, in turns, so that a noisy moment hits both.
const ROUNDS: usize = 3;

/// What a round took.
struct Round {
    cpu: Duration,
    took: Duration,
}

pub(crate) async fn figures() -> Vec<Figure> {
    let stack = Stack::builder()
        .ingress("CHANNEL_BACKLOG_MAX", 100_000)
        .ingress("ALERTS_MAX_BYTES", 8_i64 << 30)
        .start()
        .await;
    let channel = stack.authorized_channel("alerts").await;
    let (url, bare) = (stack.url(channel, ""), Bare::start());
    let (mut ours, mut baseline) = (Vec::new(), Vec::new());
    for number in 0..=ROUNDS {
        let round = [run(&url, || stack.ingress.cpu()).await, run(&bare.url, || cpu(bare.process())).await];
        // The first one warms up.
        if number > 0 {
            let [first, second] = round;
            ours.push(first);
            baseline.push(second);
        }
    }
    let least = |rounds: &[Round], of: fn(&Round) -> Duration| {
        rounds.iter().map(of).min().expect("there was a round") / WEBHOOKS as u32
    };
    let cost = (least(&ours, |round| round.cpu), least(&baseline, |round| round.cpu));
    let pace = (least(&ours, |round| round.took), least(&baseline, |round| round.took));
    let a_second = |each: Duration| format!("{:.0} a second", 1.0 / each.as_secs_f64());
    vec![
        Figure {
            what: "processor time of the ingress for a webhook of 20 kB on a new TLS connection; baseline: a server that only reads the body",
            ours: format!("{} µs", cost.0.as_micros()),
            baseline: format!("{} µs", cost.1.as_micros()),
            ratio: ratio(cost.0, cost.1),
        },
        Figure {
            what: "webhooks stored and acknowledged, 8 at once; baseline: the same server",
            ours: a_second(pace.0),
            baseline: a_second(pace.1),
            ratio: ratio(pace.1, pace.0),
        },
    ]
}

async fn run(url: &str, cpu: impl Fn() -> Duration) -> Round {
    let sender = Sender::new(Trust::Anyone).expect("a sender needs nothing");
    let (start, before) = (Instant::now(), cpu());
    let sent = stream::iter(0..WEBHOOKS).map(|number| {
        let sender = &sender;
        async move {
            // Like a storm: few issues, all events different.
            let title = format!("Error: event {number} {}", start.elapsed().as_nanos());
            let body = Exception::new(title).issue((number % 5).to_string()).size(BODY);
            let reply = sender.send(url, &Webhook::legacy(body.json())).await.expect("it answers");
            assert_eq!(reply.status, 200, "{}", reply.body);
        }
    });
    sent.buffer_unordered(AT_ONCE).collect::<Vec<()>>().await;
    Round { cpu: cpu() - before, took: start.elapsed() }
}
