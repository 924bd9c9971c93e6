//! If a service is away for all lanes, only few of them ask it.

use std::time::{Duration, Instant};

use async_nats::jetstream;
use e2e::publish;
use harness::wait::wait_for;
use shared::wire;

use crate::{HEALED, start};

const CHANNELS: usize = 12;
/// Without the limit there would be this many in a second.
const RESTARTS: f64 = 14.0;

#[tokio::test(flavor = "multi_thread")]
async fn lanes_that_a_store_refuses_try_seldom_and_go_on_at_once_when_it_does_not() {
    let stack = start().await;
    let mut channels = Vec::new();
    for number in 0..CHANNELS {
        channels.push(stack.authorized_channel(&format!("alerts-{number}")).await);
    }
    let trust = jetstream::new(stack.nats.client().await).get_key_value(wire::CHANNEL_TRUST).await;
    let trust = trust.expect("a bucket of the store");
    for channel in &channels {
        trust.put(channel.to_string(), "no record".into()).await.expect("written");
        publish(&stack, *channel, ["waits".to_owned()]).await;
    }
    let restarts = async |count: f64| {
        wait_for("lanes start over", HEALED, || async {
            let restarts = stack.discord.metric("sentry_bot_lane_interruptions_total").await;
            (restarts >= count).then_some(restarts)
        })
        .await
    };
    let first = restarts(CHANNELS as f64).await;
    let began = Instant::now();
    restarts(first + RESTARTS).await;
    assert!(began.elapsed() > Duration::from_secs(3), "{:?}", began.elapsed());

    for channel in &channels {
        trust.put(channel.to_string(), "{}".into()).await.expect("written");
    }
    let began = Instant::now();
    for channel in &channels {
        stack.until_shown(*channel, 1, HEALED).await;
    }
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}
