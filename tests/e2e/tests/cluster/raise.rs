//! Replicas are raised from one to three. Then a server dies, and comes back
//! without its files.

use std::time::Duration;

use async_nats::jetstream;
use e2e::Ledger;
use futures::TryStreamExt as _;
use harness::wait::wait_for;
use shared::wire;

use crate::{
    SETTLED, builder,
    leaders::{ELECTED, cluster, leader, server_at, servers},
    load::{Balancer, Load},
};

/// Alerts that are accepted in each state of the cluster.
const ACCEPTED: u64 = 20;

#[tokio::test(flavor = "multi_thread")]
async fn after_a_raise_from_one_replica_to_three_a_lost_server_and_its_disk_stop_nothing() {
    let builder = builder().clustered().ingress("NATS_REPLICAS", 1).discord("NATS_REPLICAS", 1);
    let (mut stack, ledger) = (builder.start().await, Ledger::default());
    let channels = stack.authorized_channels(2, &ledger).await;
    let kept = async |stack: &e2e::Stack| -> Option<Vec<usize>> {
        let streams = jetstream::new(stack.nats.client().await).streams();
        let streams: Vec<_> = streams.try_collect().await.ok()?;
        Some(streams.iter().map(|stream| stream.config.num_replicas).collect())
    };
    assert!(kept(&stack).await.expect("NATS answers").iter().all(|replicas| *replicas == 1));
    stack.ingress.restart_with("NATS_REPLICAS", "3");
    stack.discord.restart_with("NATS_REPLICAS", "3");
    stack.ingress.ready().await;
    wait_for("all streams are kept three times", ELECTED, || async {
        kept(&stack).await.filter(|kept| kept.len() > 10 && kept.iter().all(|replicas| *replicas == 3))
    })
    .await;
    stack.discord.ready().await;
    for stream in [wire::ALERTS.to_owned(), wire::bucket_stream(wire::TRUST)] {
        caught_up(&stack, &stream).await;
    }

    let balancer = Balancer::start(&[(&stack.ingress, stack.port)], Duration::from_millis(250));
    let mut load = Load::start(&channels, ledger, &balancer);
    accepts(&load).await;
    // The server that had the queue alone, or leads it now.
    let lost = leader(&stack, wire::ALERTS).await;
    let lost = servers(&stack).position(|server| server.is_named(&lost)).expect("one of ours");
    server_at(&mut stack, lost).kill();
    accepts(&load).await;
    wait_for("a command is answered", ELECTED, || async {
        let reply = stack.command(stack.owner, &format!("!sentry status <#{}>", channels[0])).await;
        (!reply.content().contains("unavailable")).then_some(())
    })
    .await;
    let server = server_at(&mut stack, lost);
    std::fs::remove_dir_all(server.files().join("jetstream")).expect("its files are there");
    server.restart().await;
    caught_up(&stack, wire::ALERTS).await;
    accepts(&load).await;
    load.stop().await;
    load.ledger.settle(&stack, SETTLED).await;
    assert!(stack.dead_letters().await.is_empty());
    stack.ingress.ready().await;
    stack.discord.ready().await;
}

async fn accepts(load: &Load) {
    let until = load.ledger.accepted() + ACCEPTED;
    wait_for("alerts are accepted", SETTLED, || async { (load.ledger.accepted() >= until).then_some(()) })
        .await;
}

async fn caught_up(stack: &e2e::Stack, stream: &str) {
    wait_for(&format!("the replicas of {stream} have caught up"), ELECTED, || async {
        let info = cluster(stack, stream).await?;
        let current = info.replicas.iter().all(|replica| replica.current && !replica.offline);
        (info.replicas.len() == 2 && current).then_some(())
    })
    .await;
}
