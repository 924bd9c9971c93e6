//! Several pods of both services, with one NATS server and with three. The
//! tests show what the pods agree on, and what happens when NATS goes away.

mod coherence;
mod drain;
mod identify;
mod interrupted;
mod leaders;
mod load;
mod raise;
mod restart;
mod scene;
mod stale;
mod versions;

use std::time::Duration;

use e2e::{Builder, Stack};
use harness::{
    service::Service,
    wait::{SOON, wait_for},
};
use sandbox_discord::{Config, Limit};
use shared::wire;

/// The longest that a test waits until every alert is posted or a dead letter.
const SETTLED: Duration = Duration::from_secs(120);

/// A product whose Discord is faster than the real one.
fn builder() -> Builder {
    Stack::builder().sandbox(Config::default().clocks(|clocks| {
        clocks.identify_window = Duration::from_millis(200);
        clocks.channel = Limit::new(5, Duration::from_millis(250));
    }))
}

/// More pods of discord-service, ready to work.
async fn more_discord(stack: &Stack, count: usize) -> Vec<Service> {
    let pods: Vec<Service> = (0..count).map(|_| stack.add_discord()).collect();
    for pod in &pods {
        pod.ready().await;
    }
    pods
}

/// Waits until every partition and every shard has exactly one owner, and each
/// pod has some.
async fn until_shared(pods: &[&Service], shards: u64) {
    wait_for("everything is shared", SOON * 2, || async {
        let mut held = 0;
        for pod in pods {
            let leases = pod.metric("sentry_bot_leases_held").await as u64;
            (leases > 0).then_some(())?;
            held += leases;
        }
        (held == wire::PARTITIONS + shards).then_some(())
    })
    .await;
}
