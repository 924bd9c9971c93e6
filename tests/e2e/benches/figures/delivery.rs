//! How long it takes until Discord shows an alert. The baseline is a relay that
//! makes a message of each alert while Sentry waits. All else is free for it:
//! no TLS, no checks, no store.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use e2e::{Ledger, Stack, publish};
use futures::future::join_all;
use sandbox_discord::{Channel, Config, Limit};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use crate::{Figure, median, ratio};

const STORM: usize = 60;
const LARGE_STORM: usize = 1_000;
/// As long as Sentry waits for a legacy webhook.
const SENTRY_WAITS: Duration = Duration::from_secs(5);
const SETTLED: Duration = Duration::from_secs(300);

pub(crate) async fn figures() -> Vec<Figure> {
    vec![lone().await, storm().await, large_storm().await]
}

/// Discord with limits that a lone alert never meets.
fn unlimited() -> Config {
    Config::default().clocks(|clocks| {
        clocks.identify_window = Duration::from_millis(200);
        clocks.channel = Limit::new(100_000, Duration::from_secs(1));
    })
}

async fn lone() -> Figure {
    let ledger = Ledger::default();
    let stack = Stack::builder().sandbox(unlimited()).start().await;
    let channel = stack.authorized_channels(1, &ledger).await[0];
    let relay = Relay::of(&stack, "relay");
    let (mut ours, mut baseline) = (Vec::new(), Vec::new());
    stack.until_drained(SETTLED).await;
    for number in 0..200 {
        let (start, before) = (now_ms(), stack.alerts(channel));
        ledger.send(&stack, channel, &format!("alert {number}")).await;
        let shown = stack.until_shown(channel, before + 1, SETTLED).await;
        let posted = shown.last().expect("it is shown").posted_ms();
        ours.push(Duration::from_millis(posted.saturating_sub(start)));
        let start = Instant::now();
        relay.post(&format!("alert {number}")).await;
        baseline.push(start.elapsed());
    }
    let (ours, baseline) = (median(ours), median(baseline));
    Figure {
        what: "median time of a single alert from Sentry's request to the message in Discord; baseline: one request to Discord, without TLS",
        ours: format!("{} ms", ours.as_millis()),
        baseline: format!("{:.1} ms", baseline.as_secs_f64() * 1e3),
        ratio: ratio(ours, baseline),
    }
}

async fn storm() -> Figure {
    let ledger = Ledger::default();
    let stack = Stack::start().await;
    let channel = stack.authorized_channels(1, &ledger).await[0];
    stack.until_drained(SETTLED).await;
    let before = stack.alerts(channel);
    let start = Instant::now();
    join_all((0..STORM).map(|number| {
        let (ledger, stack) = (&ledger, &stack);
        async move { ledger.send(stack, channel, &format!("alert {number}")).await }
    }))
    .await;
    sleep(SENTRY_WAITS.saturating_sub(start.elapsed())).await;
    let ours = stack.alerts(channel) - before;
    stack.until_shown(channel, before + STORM as u64, SETTLED).await;

    let relay = Relay::of(&stack, "relay");
    let posts = (0..STORM).map(|number| {
        let relay = &relay;
        async move { timeout(SENTRY_WAITS, relay.post(&format!("alert {number}"))).await.is_ok() }
    });
    let baseline = join_all(posts).await.into_iter().filter(|arrived| *arrived).count();
    Figure {
        what: "60 different alerts at once for one channel: shown after 5 s, when Sentry hangs up; baseline: a message each, repeated after every 429",
        ours: format!("{ours}, the rest later"),
        baseline: format!("{baseline}, the rest never"),
        ratio: ours as f64 / baseline as f64,
    }
}

async fn large_storm() -> Figure {
    let ledger = Ledger::default();
    let mut stack = Stack::start().await;
    let channel = stack.authorized_channel("alerts").await;
    stack.discord.kill();
    let titles = (0..LARGE_STORM).map(|number| format!("alert {number}"));
    titles.clone().for_each(|title| ledger.note(channel, &title, true));
    publish(&stack, channel, titles).await;
    stack.discord.restart();
    ledger.settle(&stack, SETTLED).await;
    let shown = stack.shown(channel);
    let (first, last) = (&shown[0], &shown[shown.len() - 1]);
    let ours = Duration::from_millis(last.posted_ms() - first.posted_ms());
    // Five a channel in five seconds, and the first five at once.
    let limit = Limit::new(5, Duration::from_secs(5));
    let baseline = limit.period * (LARGE_STORM as u32 / limit.count - 1);
    Figure {
        what: "1,000 different alerts for one channel, until the last is shown; baseline, by arithmetic: a message each, as fast as Discord allows",
        ours: format!("{:.1} s", ours.as_secs_f64()),
        baseline: format!("{} s", baseline.as_secs()),
        ratio: ratio(ours, baseline),
    }
}

/// The baseline.
struct Relay {
    client: reqwest::Client,
    url: String,
    token: String,
}

impl Relay {
    fn of(stack: &Stack, channel: &str) -> Self {
        let channel = stack.sandbox.add_channel(stack.guild, Channel::text(channel));
        let url = format!("{}/api/v10/channels/{channel}/messages", stack.sandbox.url());
        Self { client: reqwest::Client::new(), url, token: format!("Bot {}", stack.sandbox.token()) }
    }

    async fn post(&self, title: &str) {
        let message = json!({"embeds": [{"title": "***SENTRY ALERT***", "description": title}]});
        loop {
            let request = self.client.post(&self.url).header("Authorization", &self.token);
            let answer = request
                .header("User-Agent", "DiscordBot (https://example.com, 1)")
                .json(&message)
                .send()
                .await
                .expect("Discord answers");
            if answer.status().is_success() {
                return;
            }
            let refusal: Value = answer.json().await.expect("a refusal is JSON");
            sleep(Duration::from_secs_f64(refusal["retry_after"].as_f64().expect("it was a 429"))).await;
        }
    }
}

fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    u64::try_from(now.as_millis()).expect("before the year 584 million")
}
