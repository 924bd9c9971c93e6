//! Discord's limit on identifies, kept by pods that start at the same time.

use std::time::{Duration, Instant};

use e2e::{report, scaled};
use harness::{nats::NatsServer, service::Service, wait::wait_for};
use sandbox_discord::{Config, Sandbox};

use crate::until_shared;

const PODS: usize = 3;
/// Discord's five seconds between two identifies, minus what a busy machine may
/// shift on the way.
const WINDOW: Duration = Duration::from_secs(4);
const ALL_UP: Duration = Duration::from_secs(120);

#[tokio::test(flavor = "multi_thread")]
async fn pods_that_start_at_once_never_identify_too_early() {
    // Each takes five to six seconds.
    let shards = scaled(6, 12);
    let nats = NatsServer::start().await;
    let config = Config::default().shards(shards).max_concurrency(1);
    let sandbox = Sandbox::start(config.clocks(|clocks| clocks.identify_window = WINDOW)).await;
    let (nats_url, url, token) = (nats.url(), sandbox.url(), sandbox.token());
    let variables = [("NATS_URL", &*nats_url), ("DISCORD_API_URL", &*url), ("DISCORD_TOKEN", &*token)];
    let start = Instant::now();
    let pods: Vec<Service> = (0..PODS).map(|_| Service::start("discord-service", &variables)).collect();
    wait_for("all shards are up", ALL_UP, || async {
        let mut up = 0;
        for pod in &pods {
            pod.readyz().await?;
            up += pod.metric("sentry_bot_gateway_shards_up").await as u32;
        }
        (up == shards).then_some(())
    })
    .await;
    until_shared(&pods.iter().collect::<Vec<_>>(), u64::from(shards)).await;
    let stats = sandbox.stats();
    let took = start.elapsed();
    report(&format!(
        "{shards} shards of {PODS} pods were up after {took:.1?}, {} identifies",
        stats.identifies
    ));
    assert_eq!(stats.violations, Vec::<String>::new());
    assert!(stats.sessions_max.values().all(|most| *most <= 1), "{:?}", stats.sessions_max);
    assert_eq!(stats.identifies, u64::from(shards), "no shard identified twice");
}
