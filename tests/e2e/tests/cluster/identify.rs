//! Discord's limit on identifies, kept by pods that start at the same time.

use std::time::Duration;

use e2e::{Stack, report, scaled};
use harness::{service::Service, wait::wait_for};
use sandbox_discord::Config;

use crate::until_shared;

/// Slots are kept for whole seconds in NATS, whatever Discord's clock.
const ALL_UP: Duration = Duration::from_secs(120);

#[tokio::test(flavor = "multi_thread")]
async fn pods_that_start_at_once_never_identify_too_early() {
    // Each takes five to six seconds.
    let shards = scaled(6, 12);
    // The real five seconds, which the pods space by, less what a busy machine
    // may shift between sending and arriving.
    let window = Duration::from_millis(4_500);
    let config =
        Config::default().shards(shards).max_concurrency(1).clocks(|clocks| clocks.identify_window = window);
    let mut stack = Stack::builder().sandbox(config).start().await;
    // From nothing: the first pod's session is one of the twelve.
    let pods: Vec<Service> = (0..2).map(|_| stack.add_discord()).collect();
    let start = std::time::Instant::now();
    let all = || [&stack.discord, &pods[0], &pods[1]];
    wait_for("all shards are up", ALL_UP, || async {
        let mut up = 0;
        for pod in all() {
            pod.readyz().await?;
            up += pod.metric("sentry_bot_gateway_shards_up").await as u32;
        }
        (up == shards).then_some(())
    })
    .await;
    until_shared(&all(), u64::from(shards)).await;
    let stats = stack.sandbox.stats();
    report(&format!(
        "{shards} shards of 3 pods were up after {:.1?}, {} identifies",
        start.elapsed(),
        stats.identifies
    ));
    assert_eq!(stats.violations, Vec::<String>::new());
    assert!(stats.sessions_max.values().all(|most| *most <= 1), "{:?}", stats.sessions_max);
    stack.discord.kill();
    stack.assert_clean();
}
