//! NATS as a cluster of three servers.

use clap::Parser as _;
use discord_service::{
    settings::Settings,
    store::{NatsStore, Registration, Store as _},
};
use futures::future::join_all;
use harness::{
    nats::NatsServer,
    wait::{SOON, wait_for},
};
use shared::UserId;

use crate::world::{GUILD, slug};

const USERS: u64 = 4;
const ROUNDS: u32 = 20;

#[tokio::test]
async fn writes_that_meet_on_their_way_to_the_replicas_are_done_one_after_another() {
    let servers = NatsServer::start_cluster().await;
    let settings = Settings::parse_from(["discord-service", "--nats-replicas", "3"]);
    let store = NatsStore::new(servers[0].client().await, settings.common.nats);
    // The first call makes the buckets, each with an election.
    wait_for("the store is there", SOON * 4, || async { store.projects(GUILD).await.ok() }).await;
    for round in 0..ROUNDS {
        let registrations = (1..=USERS).map(|user| {
            let (store, slug) = (&store, slug(&format!("web-{user}-{round}")));
            async move { store.register(GUILD, UserId::new(user), &slug).await }
        });
        for registered in join_all(registrations).await {
            assert_eq!(registered.expect("the store is there"), Registration::Registered, "round {round}");
        }
    }
}
