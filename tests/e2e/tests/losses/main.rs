//! NATS loses things, and they come back by themselves. The tests delete each
//! stream and bucket while alerts come, empty the disk, and give NATS too
//! little storage. Afterwards all works again, and secured channels are still
//! secured.

mod calm;
mod clock;
mod full;
mod storage;
mod store;

use std::{
    collections::BTreeSet,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use async_nats::jetstream::{self, stream::Config as StreamConfig};
use e2e::{Builder, Stack};
use harness::{service::Service, wait::wait_for};
use sandbox_discord::{Config, Limit};
use sentry_sender::{Webhook, body::Exception};
use shared::wire;

/// The contract: a loss heals within this.
const HEALED: Duration = Duration::from_secs(30);

/// The contract: `/readyz` is false within 3 s. A busy machine may take one more.
const NOTICED: Duration = Duration::from_secs(4);
/// The stream that takes the place of one that is away.
const USURPER: &str = "usurper";
/// The largest message in bytes, so that the stand-in takes nothing that is
/// meant for the bucket.
const TOO_SMALL: i32 = 1;

fn alert(title: &str) -> Webhook {
    Webhook::legacy(Exception::new(title).issue(title).json()).idempotency_key(title)
}

/// With a Discord whose limits no test reaches.
fn builder() -> Builder {
    let discord = Config::default().clocks(|clocks| {
        clocks.identify_window = Duration::from_millis(200);
        clocks.channel = Limit::new(5, Duration::from_millis(250));
    });
    Stack::builder().sandbox(discord)
}

async fn start() -> Stack {
    builder().start().await
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

/// Puts another stream with the same subjects in the place of this one. Then
/// JetStream refuses to make this one.
async fn usurp(js: &jetstream::Context, stream: &str, max_message_size: i32) {
    let subjects = js.get_stream(stream).await.expect("it was there").cached_info().config.subjects.clone();
    let usurper =
        StreamConfig { name: USURPER.to_owned(), subjects, max_message_size, ..StreamConfig::default() };
    wait_for("another stream came first", HEALED, || async {
        let _ = js.delete_stream(stream).await;
        js.create_stream(usurper.clone()).await.ok()?;
        // JetStream may make both where two requests meet.
        js.get_stream(stream).await.is_err().then_some(())
    })
    .await;
}

/// Deletes the stream and keeps it away until all of these services say at
/// `/readyz` that they cannot work without it. Then waits until it is back.
async fn lose_until_noticed(stack: &Stack, stream: &str, services: &[&Service]) {
    let js = jetstream::new(stack.nats.client().await);
    usurp(&js, stream, TOO_SMALL).await;
    for service in services {
        wait_for(&format!("/readyz of {} names {stream}", service.admin()), NOTICED, || async {
            // A request to make it may have been under way.
            let _ = js.delete_stream(stream).await;
            let (status, said) = readyz(service).await?;
            (status == 503 && said.contains(stream)).then_some(())
        })
        .await;
    }
    js.delete_stream(USURPER).await.expect("deleted");
    wait_for(&format!("{stream} is made again"), HEALED, || async {
        js.get_stream(stream).await.ok().map(drop)
    })
    .await;
}

/// Alerts that come during a test, and which of them were accepted.
struct Load {
    sent: AtomicU64,
    accepted: Mutex<BTreeSet<String>>,
}

impl Load {
    fn new() -> Self {
        Self { sent: AtomicU64::new(0), accepted: Mutex::default() }
    }

    /// Sends while something happens.
    async fn during(&self, stack: &Stack, channel: u64, happens: impl Future<Output = ()>) {
        let over = AtomicBool::new(false);
        let load = async {
            while !over.load(Ordering::Relaxed) {
                let title = format!("alert {}", self.sent.fetch_add(1, Ordering::Relaxed));
                let answer = stack.try_send(channel, &alert(&title)).await;
                if answer.is_some_and(|answer| answer.is_success()) {
                    self.accepted.lock().expect("no panic while held").insert(title);
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let happens = async {
            happens.await;
            over.store(true, Ordering::Relaxed);
        };
        tokio::join!(load, happens);
    }

    /// Waits until this many more are accepted.
    async fn goes_on(&self, more: usize) {
        let accepted = || self.accepted.lock().expect("no panic while held").len();
        let before = accepted();
        wait_for("more alerts are accepted", HEALED, || async {
            (accepted() >= before + more).then_some(())
        })
        .await;
    }

    /// Accepted alerts that are not shown and not dead letters.
    async fn missing(&self, stack: &Stack, channel: u64) -> Vec<String> {
        let shown = stack.shown(channel).into_iter().map(|embed| embed.title);
        let dead = stack.dead_letters().await.into_iter().filter_map(|letter| letter.title);
        let out: BTreeSet<String> = shown.chain(dead).collect();
        self.accepted.lock().expect("no panic while held").difference(&out).cloned().collect()
    }
}

/// Checks that new alerts are accepted with a verdict and shown, and that
/// commands are answered.
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
    let both = [&stack.ingress, &stack.discord];
    let losses = async {
        lose_until_noticed(&stack, wire::DEAD_LETTERS, &both).await;
        for bucket in ["lanes", "messages", "channels", "trust", "seen", "refusals"] {
            lose_until_noticed(&stack, &wire::bucket_stream(bucket), &both).await;
            works(&stack, channel, &format!("after the loss of {bucket}")).await;
        }
        for bucket in [wire::LEASES, wire::ROUTED] {
            lose_until_noticed(&stack, &wire::bucket_stream(bucket), &both[1..]).await;
            works(&stack, channel, &format!("after the loss of {bucket}")).await;
        }
        // Without the first the last known addresses stay valid. Without the second
        // buttons have nothing to show. Nothing stops.
        for bucket in [wire::SOURCES, wire::STACK_TRACES] {
            lose_until_noticed(&stack, &wire::bucket_stream(bucket), &[]).await;
        }
        works(&stack, channel, "after the loss of sources and stack traces").await;
    };
    load.during(&stack, channel, losses).await;
    stack.until_drained(HEALED).await;
    assert_eq!(load.missing(&stack, channel).await, Vec::<String>::new());
    stack.ingress.ready().await;
    stack.discord.ready().await;
    assert!(stack.discord.metric("sentry_bot_streams_lost_total").await >= 11.0);
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
            // Alerts that were accepted until now may have been lost with the
            // stream.
            load.accepted.lock().expect("no panic while held").clear();
            works(&stack, channel, &format!("after loss {round}")).await;
        }
    };
    load.during(&stack, channel, losses).await;
    stack.until_drained(HEALED).await;
    assert_eq!(load.missing(&stack, channel).await, Vec::<String>::new());
    stack.ingress.ready().await;
}
