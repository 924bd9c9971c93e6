//! What NATS loses comes back by itself: each stream and bucket is deleted while
//! alerts come, the disk is emptied, storage is too small and is not. Afterwards
//! all works again, and what was closed is closed.

mod calm;
mod clock;
mod full;
mod storage;

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_nats::jetstream;
use e2e::Stack;
use harness::{service::Service, wait::wait_for};
use sandbox_discord::{Config, Limit};
use sentry_sender::{Webhook, body::Exception};
use serde_json::Value;
use shared::wire;

/// The contract: a loss heals within this.
const HEALED: Duration = Duration::from_secs(30);

fn alert(title: &str) -> Webhook {
    Webhook::legacy(Exception::new(title).issue(title).json()).idempotency_key(title)
}

/// At a Discord that lets more through than a test sends.
async fn start() -> Stack {
    let discord = Config::default().clocks(|clocks| {
        clocks.identify_window = Duration::from_millis(200);
        clocks.channel = Limit::new(5, Duration::from_millis(250));
    });
    Stack::builder().sandbox(discord).start().await
}

/// What a service says at `/readyz`.
async fn readyz(service: &Service) -> Option<(u16, String)> {
    let answer = reqwest::get(format!("{}/readyz", service.admin())).await.ok()?;
    Some((answer.status().as_u16(), answer.text().await.ok()?))
}

/// Deletes the stream, and waits until there is another in its place.
async fn lose(stack: &Stack, stream: &str) {
    let js = jetstream::new(stack.nats.client().await);
    let created = async || Some(js.get_stream(stream).await.ok()?.cached_info().created);
    let before = created().await.expect("it was there");
    js.delete_stream(stream).await.expect("deleted");
    wait_for(&format!("{stream} is made again"), HEALED, || async {
        created().await.filter(|created| *created != before)
    })
    .await;
}

/// Alerts that come all the while, and which of them were accepted.
struct Load {
    over: Arc<AtomicBool>,
    accepted: Mutex<BTreeSet<String>>,
}

impl Load {
    fn new() -> Self {
        Self { over: Arc::default(), accepted: Mutex::default() }
    }

    async fn run(&self, stack: &Stack, channel: u64) {
        for number in 0.. {
            if self.over.load(Ordering::Relaxed) {
                return;
            }
            let title = format!("alert {number}");
            let answer = stack.try_send(channel, &alert(&title)).await;
            if answer.is_some_and(|answer| answer.is_success()) {
                self.accepted.lock().expect("no panic while held").insert(title);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Those that are neither shown nor dead letters.
    async fn missing(&self, stack: &Stack, channel: u64) -> Vec<String> {
        let shown = stack.shown(channel).into_iter().map(|embed| embed.title);
        let dead = stack.dead_letters().await.into_iter().filter_map(|letter| letter.title);
        let out: BTreeSet<String> = shown.chain(dead).collect();
        self.accepted.lock().expect("no panic while held").difference(&out).cloned().collect()
    }
}

/// Whether new alerts are taken with a verdict and shown, and commands answered.
async fn works(stack: &Stack, channel: u64, title: &str) {
    wait_for("an alert is accepted with a verdict", HEALED, || async {
        (stack.try_send(channel, &alert(title)).await?.status == 200).then_some(())
    })
    .await;
    wait_for(&format!("{title} is shown"), HEALED, || async {
        stack.shown(channel).iter().any(|shown| shown.title == title).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_start_warns_of_nothing() {
    let stack = Stack::start().await;
    for log in [stack.ingress.log(), stack.discord.log()] {
        let warnings: Vec<&str> = log.lines().filter(|line| line.contains("WARN")).collect();
        assert_eq!(warnings, Vec::<&str>::new());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_bucket_that_is_lost_under_load_is_made_again_and_no_alert_is_lost() {
    let stack = start().await;
    let channel = stack.authorized_channel("alerts").await;
    let load = Load::new();
    let losses = async {
        for bucket in ["lanes", "messages", "channels", "trust", "seen", "refusals", "leases"] {
            lose(&stack, &wire::bucket_stream(bucket)).await;
            works(&stack, channel, &format!("after the loss of {bucket}")).await;
        }
        lose(&stack, wire::DEAD_LETTERS).await;
        load.over.store(true, Ordering::Relaxed);
    };
    tokio::join!(load.run(&stack, channel), losses);
    stack.until_drained(HEALED).await;
    assert_eq!(load.missing(&stack, channel).await, Vec::<String>::new());
    stack.ingress.ready().await;
    stack.discord.ready().await;
    assert!(stack.discord.metric("sentry_bot_streams_lost_total").await >= 8.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_queue_that_is_lost_under_load_takes_alerts_at_once_and_none_of_them_is_taken_for_an_old_one() {
    let stack = start().await;
    let channel = stack.authorized_channel("alerts").await;
    works(&stack, channel, "before").await;
    let load = Load::new();
    let losses = async {
        for round in 0..3 {
            lose(&stack, wire::ALERTS).await;
            // What was accepted until now may have been lost with the stream.
            load.accepted.lock().expect("no panic while held").clear();
            works(&stack, channel, &format!("after loss {round}")).await;
        }
        load.over.store(true, Ordering::Relaxed);
    };
    tokio::join!(load.run(&stack, channel), losses);
    stack.until_drained(HEALED).await;
    assert_eq!(load.missing(&stack, channel).await, Vec::<String>::new());
    stack.ingress.ready().await;
}

/// Secures the channel; the query with its token.
async fn secure(stack: &Stack, channel: u64) -> String {
    let reply = stack.slash("sentry channel secure", channel).await;
    let (_, token) = reply.content().split_once("&token=").expect("a token");
    // It takes effect after the reply has arrived.
    let js = jetstream::new(stack.nats.client().await);
    wait_for("the channel is secured", HEALED, || async {
        let kept =
            js.get_key_value(wire::CHANNEL_TRUST).await.ok()?.get(channel.to_string()).await.ok()??;
        let kept: Value = serde_json::from_slice(&kept).ok()?;
        (kept["secured"] == true).then_some(())
    })
    .await;
    format!("&token={}", token.split_once('`').expect("in a code span").0)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secured_channel_whose_keys_are_lost_stays_closed_until_it_is_secured_again() {
    let mut stack = Stack::builder().discord("PUBLIC_URL", "https://bot.example.com").start().await;
    let [secured, open] = [stack.authorized_channel("secured").await, stack.authorized_channel("open").await];
    secure(&stack, secured).await;
    for bucket in [wire::CHANNEL_TRUST, wire::TRUST] {
        lose(&stack, &wire::bucket_stream(bucket)).await;
    }
    // Neither remembers what the channel demanded.
    stack.discord.restart();
    stack.ingress.restart();
    stack.ingress.ready().await;
    stack.discord.ready().await;
    works(&stack, open, "an open channel goes on").await;
    let waiting = wait_for("an alert is stored without a verdict", HEALED, || async {
        let answer = stack.try_send(secured, &alert("without a token")).await?;
        assert_ne!(answer.status, 200, "nobody knows what the channel demands");
        (answer.status == 202).then_some(())
    });
    waiting.await;
    works(&stack, open, "the open channel still goes on").await;
    assert_eq!(stack.alerts(secured), 0);

    let token = secure(&stack, secured).await;
    wait_for("an alert with the new token is shown", HEALED, || async {
        stack.try_send_to(&stack.url(secured, &token), &alert("with the token")).await?;
        stack.shown(secured).iter().any(|shown| shown.title == "with the token").then_some(())
    })
    .await;
    assert!(stack.shown(secured).iter().all(|shown| shown.title == "with the token"));
}

#[tokio::test(flavor = "multi_thread")]
async fn nats_may_come_back_with_an_empty_disk() {
    let mut stack = Stack::start().await;
    let channel = stack.authorized_channel("alerts").await;
    works(&stack, channel, "before").await;
    stack.nats.kill();
    for service in [&stack.ingress, &stack.discord] {
        wait_for("/readyz is false", Duration::from_secs(10), || async {
            (readyz(service).await?.0 == 503).then_some(())
        })
        .await;
    }
    std::fs::remove_dir_all(stack.nats.files().join("jetstream")).expect("its files are there");
    stack.nats.restart().await;
    stack.ingress.ready().await;
    stack.discord.ready().await;
    // The store is gone as well, so nothing is authorized.
    wait_for("the channel is refused", HEALED, || async {
        (stack.try_send(channel, &alert("refused")).await?.status == 401).then_some(())
    })
    .await;
    assert!(stack.discord.log().contains("NATS has lost a bucket of the store"), "{}", stack.discord.log());
    let channel = stack.authorized_channel("alerts again").await;
    works(&stack, channel, "after").await;
}
