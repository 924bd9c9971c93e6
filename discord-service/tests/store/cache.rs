//! What is remembered, for how long, and who makes it forgotten.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use discord_service::store::Store;
use harness::{
    firestore::FirestoreEmulator,
    wait::{SOON, wait_for},
};
use shared::{ChannelId, GuildId};

use crate::{
    in_both_stores,
    relay::Relay,
    world::{ALICE, CHANNEL, GUILD, OTHER_CHANNEL, World, slug},
};

in_both_stores!(
    every_change_is_heard_of_by_another_instance,
    an_own_change_is_seen_at_once,
    a_change_that_nobody_announces_is_seen_when_the_time_is_over,
);

/// Longer than any test: what is seen sooner was heard of.
const LONG: Duration = Duration::from_secs(3_600);
const SECOND: Duration = Duration::from_secs(1);

/// What the store lists, once it is that.
async fn lists(store: &dyn Store, channel: ChannelId, guilds: &[GuildId], limit: Duration) {
    wait_for(&format!("{channel} is listed under {guilds:?}"), limit, || async {
        store.guilds_listing(channel).await.ok().filter(|listing| listing == guilds)
    })
    .await;
}

async fn every_change_is_heard_of_by_another_instance(world: World) {
    let (one, other) = (world.cached(LONG).await, world.cached(LONG).await);
    lists(&other, CHANNEL, &[], SOON).await;
    assert_eq!(other.channels(GUILD).await.unwrap(), []);
    one.authorize(GUILD, CHANNEL).await.unwrap();
    lists(&other, CHANNEL, &[GUILD], SOON).await;
    assert_eq!(other.channels(GUILD).await.unwrap(), [CHANNEL]);
    one.revoke(GUILD, CHANNEL).await.unwrap();
    lists(&other, CHANNEL, &[], SOON).await;
    assert_eq!(other.channels(GUILD).await.unwrap(), []);

    assert!(other.projects(GUILD).await.unwrap().is_empty());
    one.register(GUILD, ALICE, &slug("web")).await.unwrap();
    wait_for("the project is seen", SOON, || async {
        other.projects(GUILD).await.ok().filter(|projects| projects.contains_key(&ALICE))
    })
    .await;
    one.unregister(GUILD, ALICE).await.unwrap();
    wait_for("the project is gone", SOON, || async {
        other.projects(GUILD).await.ok().filter(|projects| projects.is_empty())
    })
    .await;
}

async fn an_own_change_is_seen_at_once(world: World) {
    let store = world.cached(LONG).await;
    for _ in 0..3 {
        assert_eq!(store.guilds_listing(CHANNEL).await.unwrap(), []);
        store.authorize(GUILD, CHANNEL).await.unwrap();
        assert_eq!(store.guilds_listing(CHANNEL).await.unwrap(), [GUILD]);
        store.revoke(GUILD, CHANNEL).await.unwrap();
    }
}

async fn a_change_that_nobody_announces_is_seen_when_the_time_is_over(world: World) {
    let time_to_live = SECOND;
    let (silent, cached) = (world.store().await, world.cached(time_to_live).await);
    silent.authorize(GUILD, OTHER_CHANNEL).await.unwrap();
    let read = Instant::now();
    assert_eq!(cached.guilds_listing(CHANNEL).await.unwrap(), []);
    assert_eq!(cached.guilds_listing(OTHER_CHANNEL).await.unwrap(), [GUILD]);
    silent.authorize(GUILD, CHANNEL).await.unwrap();
    silent.revoke(GUILD, OTHER_CHANNEL).await.unwrap();
    let remembered = cached.guilds_listing(CHANNEL).await.unwrap();
    assert!(remembered.is_empty() || read.elapsed() >= time_to_live, "not remembered");
    lists(&cached, CHANNEL, &[GUILD], SOON).await;
    lists(&cached, OTHER_CHANNEL, &[], SOON).await;
}

#[tokio::test]
async fn answers_do_not_outlive_their_time_while_firestore_is_away() {
    let Some(emulator) = FirestoreEmulator::shared().await else { return };
    let mut relay = Relay::new(emulator.host());
    relay.open().await;
    let world = World::firestore_at(&relay.host(), &emulator.project()).await;
    world.store().await.authorize(GUILD, CHANNEL).await.unwrap();
    let time_to_live = SECOND;
    let store = world.cached(time_to_live).await;
    let read = Instant::now();
    assert_eq!(store.guilds_listing(CHANNEL).await.unwrap(), [GUILD]);
    relay.cut().await;
    match store.guilds_listing(CHANNEL).await {
        Ok(remembered) => assert_eq!(remembered, [GUILD]),
        Err(_) => assert!(read.elapsed() >= time_to_live, "not remembered"),
    }
    wait_for("the answer is forgotten", SOON, || async { store.guilds_listing(CHANNEL).await.err() }).await;
    relay.open().await;
    lists(&store, CHANNEL, &[GUILD], SOON).await;
}

#[tokio::test]
async fn nothing_is_remembered_while_changes_cannot_be_heard() {
    let mut world = World::nats().await;
    let store = Arc::new(world.cached(LONG).await);
    store.authorize(GUILD, CHANNEL).await.unwrap();
    lists(&*store, CHANNEL, &[GUILD], SOON).await;
    world.nats.kill();
    wait_for("the store is away", SOON, || async { store.guilds_listing(CHANNEL).await.err() }).await;
    world.nats.restart().await;
    // Someone changes it before this instance is connected again, or after.
    world.store().await.revoke(GUILD, CHANNEL).await.unwrap();
    lists(&*store, CHANNEL, &[], SOON).await;
}
