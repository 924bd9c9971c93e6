//! The store is away, hangs, comes back. Nobody restarts anything.

use std::time::{Duration, Instant};

use discord_service::{
    rules::ChannelRules,
    store::{Store, StoreError},
};
use futures::future::join_all;
use harness::{
    firestore::FirestoreEmulator,
    wait::{SOON, wait_for},
};
use shared::{RuntimeMode, trust::ChannelTrust};

use crate::{
    relay::Relay,
    world::{ALICE, CHANNEL, GUILD, World, slug, store},
};

/// The store's own time limit of two seconds, and as much for a busy machine.
const QUICKLY: Duration = Duration::from_secs(4);

async fn every_call_fails_quickly(store: &dyn Store) {
    let web = slug("web");
    let calls: [futures::future::BoxFuture<'_, Option<StoreError>>; 13] = [
        Box::pin(async { store.guilds_listing(CHANNEL).await.err() }),
        Box::pin(async { store.channels(GUILD).await.err() }),
        Box::pin(async { store.authorize(GUILD, CHANNEL).await.err() }),
        Box::pin(async { store.revoke(GUILD, CHANNEL).await.err() }),
        Box::pin(async { store.projects(GUILD).await.err() }),
        Box::pin(async { store.register(GUILD, ALICE, &web).await.err() }),
        Box::pin(async { store.unregister(GUILD, ALICE).await.err() }),
        Box::pin(async { store.trust(CHANNEL).await.err() }),
        Box::pin(async { store.replace_trust(CHANNEL, None, &ChannelTrust::default()).await.err() }),
        Box::pin(async { store.channels_with_trust().await.err() }),
        Box::pin(async { store.rules(CHANNEL).await.err() }),
        Box::pin(async { store.rules_now(CHANNEL).await.err() }),
        Box::pin(async {
            store.replace_rules(CHANNEL, &ChannelRules::default(), &ChannelRules::default()).await.err()
        }),
    ];
    let start = Instant::now();
    let errors = join_all(calls).await;
    assert!(start.elapsed() < QUICKLY, "{:?}", start.elapsed());
    assert!(errors.iter().all(Option::is_some), "{errors:?}");
}

async fn works_again(store: &dyn Store) {
    wait_for("the store works again", SOON, || async {
        store.authorize(GUILD, CHANNEL).await.ok()?;
        store.guilds_listing(CHANNEL).await.ok().filter(|guilds| *guilds == [GUILD])
    })
    .await;
    store.revoke(GUILD, CHANNEL).await.unwrap();
}

#[tokio::test]
async fn nats_may_be_away_at_the_start_and_crash_later() {
    let mut world = World::nats().await;
    world.nats.kill();
    let store = world.store().await;
    every_call_fails_quickly(&*store).await;
    world.nats.restart().await;
    works_again(&*store).await;
    world.nats.kill();
    every_call_fails_quickly(&*store).await;
    world.nats.restart().await;
    works_again(&*store).await;
}

#[tokio::test]
async fn nats_may_hang() {
    let world = World::nats().await;
    let store = world.store().await;
    works_again(&*store).await;
    world.nats.pause();
    every_call_fails_quickly(&*store).await;
    world.nats.unpause();
    works_again(&*store).await;
}

#[tokio::test]
async fn nats_may_come_back_without_its_files() {
    let world = World::nats().await;
    let store = world.store().await;
    works_again(&*store).await;
    let js = async_nats::jetstream::new(world.nats.client().await);
    for bucket in ["channel-list", "user-projects", "channel-trust", "channel-rules"] {
        js.delete_key_value(bucket).await.unwrap();
    }
    works_again(&*store).await;
}

#[tokio::test]
async fn firestore_may_be_away_at_the_start_and_be_cut_off_later() {
    let Some(emulator) = FirestoreEmulator::shared().await else { return };
    let mut relay = Relay::new(emulator.host());
    let world = World::firestore_at(&relay.host(), &emulator.project()).await;
    let store = world.store().await;
    every_call_fails_quickly(&*store).await;
    store.api_keys(RuntimeMode::Production).await.expect_err("the store is away");
    relay.open().await;
    works_again(&*store).await;
    relay.cut().await;
    every_call_fails_quickly(&*store).await;
    relay.open().await;
    works_again(&*store).await;
}

#[tokio::test]
async fn firestore_may_hang() {
    let Some(emulator) = FirestoreEmulator::start().await else { return };
    let world = World::firestore_at(&emulator.host(), &emulator.project()).await;
    let before = world.store().await;
    works_again(&*before).await;
    emulator.pause();
    let during = store(&world.settings()).await;
    tokio::join!(every_call_fails_quickly(&*before), every_call_fails_quickly(&*during));
    emulator.unpause();
    works_again(&*before).await;
    works_again(&*during).await;
}
