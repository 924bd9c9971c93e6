//! Where the bot's token comes from.

use discord_service::store::{ApiKeys, keys};
use harness::firestore::FirestoreEmulator;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use shared::RuntimeMode;

use crate::{relay::Relay, world::World};

fn given(token: Option<&str>, dsn: Option<&str>) -> ApiKeys {
    ApiKeys { discord_token: token.map(SecretString::from), sentry_dsn: dsn.map(SecretString::from) }
}

#[tokio::test]
async fn what_is_not_set_comes_from_the_predecessors_document() {
    let Some(emulator) = FirestoreEmulator::shared().await else { return };
    let database = emulator.project();
    let kept = json!({"discordKey": {"stringValue": "kept"}, "sentryURL": {"stringValue": "kept-dsn"}});
    database.write("keys/api", kept).await;
    let store = World::firestore_at(&emulator.host(), &database).await.store().await;
    for (token, dsn, expected) in [
        (None, None, ("kept", "kept-dsn")),
        (Some("set"), None, ("set", "kept-dsn")),
        (None, Some("set-dsn"), ("kept", "set-dsn")),
        (Some("set"), Some("set-dsn"), ("set", "set-dsn")),
    ] {
        let keys = keys(given(token, dsn), RuntimeMode::Production, Some(&*store)).await.unwrap();
        let dsn = keys.sentry_dsn.unwrap();
        assert_eq!((keys.discord_token.expose_secret(), dsn.expose_secret()), expected);
    }
    let error =
        keys(given(None, None), RuntimeMode::Development, Some(&*store)).await.expect_err("none for it");
    assert!(error.0.starts_with("DISCORD_TOKEN: "), "{error}");
}

#[tokio::test]
async fn without_a_token_and_with_nats_as_the_store_the_setting_is_named() {
    let store = World::nats().await.store().await;
    let error =
        keys(given(None, None), RuntimeMode::Production, Some(&*store)).await.expect_err("there is none");
    assert!(error.0.starts_with("DISCORD_TOKEN: "), "{error}");
}

#[tokio::test]
async fn only_a_missing_token_waits_for_the_store() {
    let Some(emulator) = FirestoreEmulator::shared().await else { return };
    let database = emulator.project();
    database.write("keys/api", json!({"discordKey": {"stringValue": "kept"}})).await;
    let mut relay = Relay::new(emulator.host());
    let store = World::firestore_at(&relay.host(), &database).await.store().await;
    let set = keys(given(Some("set"), None), RuntimeMode::Production, Some(&*store)).await.unwrap();
    assert_eq!(set.discord_token.expose_secret(), "set");
    let opened = async {
        store.api_keys(RuntimeMode::Production).await.expect_err("the store is away");
        relay.open().await;
    };
    let (kept, ()) = tokio::join!(keys(given(None, None), RuntimeMode::Production, Some(&*store)), opened);
    assert_eq!(kept.unwrap().discord_token.expose_secret(), "kept");
}
