//! A cluster of three NATS servers loses the leaders of its streams.

use std::time::{Duration, Instant};

use async_nats::{
    ServerAddr,
    jetstream::{self, stream::ClusterInfo},
};
use e2e::{Stack, report, scaled};
use harness::{nats::NatsServer, wait::wait_for};
use shared::wire;

use crate::{builder, scene::Scene};

/// NATS elects a leader 4 to 9 seconds after the last word of the former.
pub(crate) const ELECTED: Duration = Duration::from_secs(60);
/// Alerts of each channel that two servers take alone.
const ACCEPTED: u64 = 10;

#[tokio::test(flavor = "multi_thread")]
async fn the_leaders_of_the_streams_die_under_load_and_every_alert_comes_out_once() {
    for ttl in scaled(&[10][..], &[10, 15]) {
        let mut scene = Scene::start(builder().clustered().discord("LEASE_TTL_SECS", ttl)).await;
        let mut took = Vec::new();
        for _ in 0..scaled(1, 3) {
            for stream in [wire::ALERTS.to_owned(), bucket(wire::LEASES), bucket(wire::LANES)] {
                took.push(lose_leader(&mut scene, &stream).await);
            }
        }
        scene.shared().await;
        let outcome = scene.settle().await;
        took.sort();
        report(&format!(
            "LEASE_TTL_SECS={ttl}: {} alerts accepted while NATS lost leaders (a new one after {took:.1?}), {} \
             refused, {} leases lost for a while",
            outcome.accepted, outcome.refused, outcome.lost
        ));
    }
}

fn bucket(name: &str) -> String {
    format!("KV_{name}")
}

/// Kills the server that leads the stream, waits for another leader, and starts
/// the server again. Returns how long there was no leader.
async fn lose_leader(scene: &mut Scene, stream: &str) -> Duration {
    let stack = &mut scene.stack;
    let old = leader(stack, stream).await;
    let server = servers(stack).position(|server| server.is_named(&old)).expect("the leader is one of ours");
    server_at(stack, server).kill();
    let start = Instant::now();
    wait_for("another server leads", ELECTED, || async {
        (leader(stack, stream).await != old).then_some(())
    })
    .await;
    let took = start.elapsed();
    scene.accepts(ACCEPTED).await;
    let stack = &mut scene.stack;
    server_at(stack, server).restart().await;
    wait_for("the replicas have caught up", ELECTED, || async {
        let info = cluster(stack, stream).await?;
        info.replicas.iter().all(|replica| replica.current && !replica.offline).then_some(())
    })
    .await;
    took
}

pub(crate) fn servers(stack: &Stack) -> impl Iterator<Item = &NatsServer> {
    std::iter::once(&stack.nats).chain(&stack.peers)
}

pub(crate) fn server_at(stack: &mut Stack, number: usize) -> &mut NatsServer {
    match number {
        0 => &mut stack.nats,
        number => &mut stack.peers[number - 1],
    }
}

pub(crate) async fn leader(stack: &Stack, stream: &str) -> String {
    wait_for("the stream has a leader", ELECTED, || async { cluster(stack, stream).await?.leader }).await
}

pub(crate) async fn cluster(stack: &Stack, stream: &str) -> Option<ClusterInfo> {
    let urls = servers(stack).map(|server| server.url().parse::<ServerAddr>().expect("a URL"));
    let client = async_nats::connect(urls.collect::<Vec<_>>()).await.ok()?;
    let mut js = jetstream::new(client);
    js.set_timeout(Duration::from_secs(1));
    js.get_stream(stream).await.ok()?.cached_info().cluster.clone()
}
