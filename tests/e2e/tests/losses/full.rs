//! The queue is full of small alerts while Discord takes none. What
//! discord-service keeps of them fits its memory, also when it starts with a
//! full queue.

use std::{
    sync::Mutex,
    time::{Duration, Instant},
};

use async_nats::jetstream;
use e2e::{Stack, publish, report, scaled};
use harness::{process, wait::wait_for};
use sandbox_discord::{Effect, Fault};
use shared::wire;

use crate::start;

/// The limit in Kubernetes and Compose.
const LIMIT: u64 = 512 << 20;
/// The most memory of a waiting alert, besides lanes and reading.
const EACH: u64 = 400;
const BESIDE: u64 = 16 << 20;
/// As many alerts as may wait for one channel.
const DEEP: usize = 20_000;

/// Makes this many more authorized channels. Typed commands would take minutes.
async fn channels(stack: &Stack, count: usize) -> Vec<u64> {
    let js = jetstream::new(stack.nats.client().await);
    let rows = js.get_key_value(wire::CHANNEL_LIST).await.expect("a bucket of the store");
    let mut channels = Vec::new();
    for number in 0..count {
        let channel = stack.channel(&format!("alerts-{number}"));
        rows.put(format!("{channel}.{}", stack.guild), "".into()).await.expect("written");
        channels.push(channel);
    }
    channels
}

/// The most memory that the process had, once each channel has a lane and it no
/// longer grows.
async fn peak(stack: &Stack, lanes: usize) -> u64 {
    let last = Mutex::new((0, Instant::now()));
    wait_for("every channel has a lane", Duration::from_secs(600), || async {
        let reached = stack.discord.metric("sentry_bot_lanes").await >= lanes as f64;
        let memory = process::peak(stack.discord.id())?;
        let mut last = last.lock().expect("no panic while held");
        if memory > last.0 + (1 << 20) || !reached {
            *last = (memory, Instant::now());
        }
        (last.1.elapsed() > Duration::from_secs(3)).then_some(memory)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_full_of_small_alerts_fits_the_memory_also_after_a_restart() {
    let (deep, wide, each) = scaled((1, 50, 40), (50, 4_000, 100));
    let mut stack = start().await;
    stack.sandbox.add_fault(Fault::new(Effect::Status(503)));
    let channels = channels(&stack, deep + wide).await;
    let before = process::peak(stack.discord.id()).expect("Linux tells");
    for (number, channel) in channels.iter().enumerate() {
        let alerts = if number < deep { DEEP } else { each };
        publish(&stack, *channel, (0..alerts).map(|alert| format!("{alert}"))).await;
    }
    let alerts = stack.stored(wire::ALERTS).await;
    let peaks = [peak(&stack, channels.len()).await, {
        stack.discord.restart();
        peak(&stack, channels.len()).await
    }];
    report(&format!(
        "{alerts} small alerts wait in {} channels: {} MiB at most as they come, {} MiB after a restart, {} MiB before",
        channels.len(),
        peaks[0] >> 20,
        peaks[1] >> 20,
        before >> 20
    ));
    for peak in peaks {
        assert!(peak < LIMIT, "{} MiB", peak >> 20);
        assert!(peak.saturating_sub(before) < alerts * EACH + BESIDE, "{} MiB of {alerts}", peak >> 20);
    }
}
