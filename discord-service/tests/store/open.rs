//! Which store the settings choose.

use discord_service::{
    settings::{Settings, StoreChoice},
    store::{FirestoreStore, Store as _, open},
};
use harness::firestore::FirestoreEmulator;
use serde_json::{Value, json};

use crate::world::{CHANNEL, GUILD, World, client};

async fn authorize(settings: &Settings) {
    let store = open(settings, &client(settings).await).await.unwrap();
    store.authorize(GUILD, CHANNEL).await.unwrap();
}

#[tokio::test]
async fn auto_means_firestore_when_google_is_set_and_nats_overrules_it() {
    let Some(emulator) = FirestoreEmulator::shared().await else { return };
    let database = emulator.project();
    let world = World::firestore_at(&emulator.host(), &database).await;
    let document = format!("channel-list/{GUILD}");
    for (store, expected) in [
        (StoreChoice::Nats, Value::Null),
        (StoreChoice::Auto, json!({CHANNEL.to_string(): {"stringValue": CHANNEL.to_string()}})),
    ] {
        authorize(&Settings { store, ..world.settings() }).await;
        assert_eq!(database.read(&document).await, expected, "{store:?}");
    }
}

#[tokio::test]
async fn auto_means_nats_when_nothing_of_google_is_set() {
    let world = World::nats().await;
    authorize(&Settings {
        store: StoreChoice::Auto,
        google_cloud_project: None,
        google_application_credentials: None,
        firestore_emulator_host: None,
        ..world.settings()
    })
    .await;
    assert_eq!(world.store().await.channels(GUILD).await.unwrap(), [CHANNEL]);
}

#[tokio::test]
async fn a_key_file_that_cannot_be_read_is_named_and_fails_calls_only() {
    let settings = Settings {
        google_application_credentials: Some("/nowhere/key.json".into()),
        firestore_emulator_host: None,
        ..World::nats().await.settings()
    };
    let error = FirestoreStore::new(&settings).channels(GUILD).await.expect_err("there is no such file");
    assert!(error.to_string().contains("/nowhere/key.json"), "{error}");
}
