//! A cluster of three NATS servers loses the leaders of its streams.

use std::time::{Duration, Instant};

use async_nats::{
    ServerAddr,
    jetstream::{self, stream::ClusterInfo},
};
use e2e::{Ledger, Stack, report, scaled};
use harness::{nats::NatsServer, wait::wait_for};
use shared::wire;
use tokio::time::sleep;

use crate::{
    SETTLED, builder,
    load::{Balancer, Load},
    more_discord, until_shared,
};

const LOOKS_EVERY: Duration = Duration::from_millis(250);
/// NATS elects a leader 4 to 9 seconds after the last word of the former.
const ELECTED: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn the_leaders_of_the_streams_die_under_load_and_every_alert_comes_out_once() {
    let mut stack = builder().clustered().discord("LEASE_TTL_SECS", 10).start().await;
    let ledger = Ledger::default();
    let pods = more_discord(&stack, 2).await;
    let channels = stack.authorized_channels(6, &ledger).await;
    let (second, port) = stack.add_ingress();
    second.ready().await;
    until_shared(&[&stack.discord, &pods[0], &pods[1]], 1).await;
    let balancer = Balancer::start(&[(&stack.ingress, stack.port), (&second, port)], LOOKS_EVERY);
    let mut load = Load::start(&channels, ledger, &balancer);
    let mut took = Vec::new();
    for _ in 0..scaled(1, 2) {
        for stream in [wire::ALERTS.to_owned(), bucket(wire::LEASES), bucket(wire::LANES)] {
            took.push(lose_leader(&mut stack, &stream).await);
        }
    }
    until_shared(&[&stack.discord, &pods[0], &pods[1]], 1).await;
    let refused = load.stop().await.refused;
    let mut lost = 0.0;
    for pod in [&stack.discord, &pods[0], &pods[1]] {
        lost += pod.metric("sentry_bot_leases_lost_total").await;
    }
    took.sort();
    report(&format!(
        "{} alerts accepted while NATS lost leaders (a new one after {took:.1?}), {refused} refused, {lost} leases lost for a while",
        load.ledger.accepted()
    ));
    load.ledger.settle(&stack, SETTLED).await;
    assert!(stack.dead_letters().await.is_empty());
}

fn bucket(name: &str) -> String {
    format!("KV_{name}")
}

/// Kills the server that leads the stream, waits for another leader, and lets
/// it come back; says how long there was none.
async fn lose_leader(stack: &mut Stack, stream: &str) -> Duration {
    let old = leader(stack, stream).await;
    let server = servers(stack).position(|server| server.is_named(&old)).expect("the leader is one of ours");
    server_at(stack, server).kill();
    let start = Instant::now();
    wait_for("another server leads", ELECTED, || async {
        (leader(stack, stream).await != old).then_some(())
    })
    .await;
    let took = start.elapsed();
    sleep(Duration::from_secs(1)).await;
    server_at(stack, server).restart().await;
    wait_for("the replicas have caught up", ELECTED, || async {
        let info = cluster(stack, stream).await?;
        info.replicas.iter().all(|replica| replica.current && !replica.offline).then_some(())
    })
    .await;
    took
}

fn servers(stack: &Stack) -> impl Iterator<Item = &NatsServer> {
    std::iter::once(&stack.nats).chain(&stack.peers)
}

fn server_at(stack: &mut Stack, number: usize) -> &mut NatsServer {
    match number {
        0 => &mut stack.nats,
        number => &mut stack.peers[number - 1],
    }
}

async fn leader(stack: &Stack, stream: &str) -> String {
    wait_for("the stream has a leader", ELECTED, || async { cluster(stack, stream).await?.leader }).await
}

async fn cluster(stack: &Stack, stream: &str) -> Option<ClusterInfo> {
    let urls = servers(stack).map(|server| server.url().parse::<ServerAddr>().expect("a URL"));
    let client = async_nats::connect(urls.collect::<Vec<_>>()).await.ok()?;
    let mut js = jetstream::new(client);
    js.set_timeout(Duration::from_secs(1));
    js.get_stream(stream).await.ok()?.cached_info().cluster.clone()
}
