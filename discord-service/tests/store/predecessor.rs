//! Databases that were there before, with whatever they hold.

use discord_service::store::{Registration, WriteOutcome};
use harness::firestore::{FirestoreEmulator, FirestoreProject};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use shared::{ChannelId, RuntimeMode, UserId};

use crate::world::{ALICE, BOB, CHANNEL, GUILD, OTHER_CHANNEL, OTHER_GUILD, World, slug};

async fn database() -> Option<(World, FirestoreProject)> {
    let emulator = FirestoreEmulator::shared().await?;
    let project = emulator.project();
    Some((World::firestore_at(&emulator.host(), &project).await, project))
}

fn channels_document() -> String {
    format!("channel-list/{GUILD}")
}

fn projects_document() -> String {
    format!("user-projects/{GUILD}")
}

/// Rows that this service cannot understand and must not touch.
fn odd_rows() -> Value {
    json!({
        "1": {"integerValue": "1"},
        "2": {"arrayValue": {"values": [{"stringValue": "2"}, {"stringValue": "web"}]}},
        "3": {"nullValue": null},
        "4": {"mapValue": {"fields": {"4": {"stringValue": "4"}}}},
        "5": {"booleanValue": true},
        "007": {"stringValue": "007"},
        "-8": {"stringValue": "-8"},
        "99999999999999999999999": {"stringValue": "99999999999999999999999"},
        "general": {"stringValue": "general"},
        "a `quoted` \\ name": {"stringValue": "x"},
        "updated": {"timestampValue": "2020-02-02T20:20:20.123456Z"},
        "score": {"doubleValue": 0.1},
    })
}

fn with(mut rows: Value, field: impl ToString, text: impl ToString) -> Value {
    rows[field.to_string()] = json!({"stringValue": text.to_string()});
    rows
}

#[tokio::test]
async fn a_channel_list_keeps_every_other_field_as_it_was() {
    let Some((world, database)) = database().await else { return };
    let store = world.store().await;
    let before = with(odd_rows(), CHANNEL, CHANNEL);
    database.write(&channels_document(), before.clone()).await;
    let before = database.read(&channels_document()).await;

    assert_eq!(store.channels(GUILD).await.unwrap(), [CHANNEL]);
    assert_eq!(store.authorize(GUILD, OTHER_CHANNEL).await.unwrap(), WriteOutcome::Changed);
    let after = database.read(&channels_document()).await;
    assert_eq!(after, with(before.clone(), OTHER_CHANNEL, OTHER_CHANNEL));
    assert_eq!(store.revoke(GUILD, OTHER_CHANNEL).await.unwrap(), WriteOutcome::Changed);
    assert_eq!(database.read(&channels_document()).await, before);
}

#[tokio::test]
async fn a_row_that_is_no_authorization_grants_nothing_and_stays_until_it_is_authorized() {
    let Some((world, database)) = database().await else { return };
    let store = world.store().await;
    let (number, wrong) = (ChannelId::new(1), ChannelId::new(9));
    let before = with(odd_rows(), wrong, "another text");
    database.write(&channels_document(), before).await;
    let before = database.read(&channels_document()).await;

    for channel in [number, wrong, ChannelId::new(2), ChannelId::new(7)] {
        assert_eq!(store.guilds_listing(channel).await.unwrap(), [], "{channel}");
        assert_eq!(store.revoke(GUILD, channel).await.unwrap(), WriteOutcome::Unchanged, "{channel}");
    }
    assert_eq!(database.read(&channels_document()).await, before);
    assert_eq!(store.authorize(GUILD, number).await.unwrap(), WriteOutcome::Changed);
    assert_eq!(store.guilds_listing(number).await.unwrap(), [GUILD]);
    assert_eq!(database.read(&channels_document()).await, with(before, number, number));
}

#[tokio::test]
async fn a_channel_under_a_foreign_guild_is_listed_under_that_guild_alone() {
    let Some((world, database)) = database().await else { return };
    let store = world.store().await;
    database.write(&format!("channel-list/{OTHER_GUILD}"), with(json!({}), CHANNEL, CHANNEL)).await;
    database.write("channel-list/not-a-guild", with(json!({}), CHANNEL, CHANNEL)).await;

    assert_eq!(store.guilds_listing(CHANNEL).await.unwrap(), [OTHER_GUILD]);
    assert_eq!(store.channels(GUILD).await.unwrap(), []);
    assert_eq!(store.revoke(GUILD, CHANNEL).await.unwrap(), WriteOutcome::Unchanged);
    assert_eq!(store.guilds_listing(CHANNEL).await.unwrap(), [OTHER_GUILD]);
}

#[tokio::test]
async fn user_projects_keep_every_other_field_as_it_was() {
    let Some((world, database)) = database().await else { return };
    let store = world.store().await;
    // A slug that nobody could register today.
    let before = with(odd_rows(), ALICE, "My Project`s");
    database.write(&projects_document(), before).await;
    let before = database.read(&projects_document()).await;

    assert_eq!(store.projects(GUILD).await.unwrap(), [(ALICE, "My Project`s".to_owned())].into());
    assert_eq!(store.register(GUILD, BOB, &slug("web")).await.unwrap(), Registration::Registered);
    assert_eq!(database.read(&projects_document()).await, with(before.clone(), BOB, "web"));
    assert_eq!(store.unregister(GUILD, UserId::new(2)).await.unwrap(), None);
    assert_eq!(store.unregister(GUILD, BOB).await.unwrap().as_deref(), Some("web"));
    assert_eq!(database.read(&projects_document()).await, before);
    assert_eq!(store.unregister(GUILD, ALICE).await.unwrap().as_deref(), Some("My Project`s"));
}

#[tokio::test]
async fn an_owner_who_asks_comes_before_another_owner_of_the_same_slug() {
    let Some((world, database)) = database().await else { return };
    let store = world.store().await;
    database.write(&projects_document(), with(with(json!({}), ALICE, "web"), BOB, "web")).await;
    assert_eq!(store.register(GUILD, BOB, &slug("web")).await.unwrap(), Registration::Taken(BOB));
    assert_eq!(store.register(GUILD, ALICE, &slug("web")).await.unwrap(), Registration::Taken(ALICE));
}

#[tokio::test]
async fn documents_of_a_new_database_are_those_of_the_predecessor() {
    let Some((world, database)) = database().await else { return };
    let store = world.store().await;
    store.authorize(GUILD, CHANNEL).await.unwrap();
    store.register(GUILD, ALICE, &slug("web")).await.unwrap();
    assert_eq!(database.read(&channels_document()).await, with(json!({}), CHANNEL, CHANNEL));
    assert_eq!(database.read(&projects_document()).await, with(json!({}), ALICE, "web"));
}

#[tokio::test]
async fn the_keys_are_those_of_the_runtime_mode() {
    let Some((world, database)) = database().await else { return };
    let store = world.store().await;
    let fields = json!({
        "discordKey": {"stringValue": "production-token\n"},
        "discordKey_dev": {"integerValue": "5"},
        "sentryURL": {"stringValue": ""},
        "sentryURL_dev": {"stringValue": "https://key@example.com/1"},
    });
    database.write("keys/api", fields).await;
    let keys = store.api_keys(RuntimeMode::Production).await.unwrap();
    assert_eq!(keys.discord_token.unwrap().expose_secret(), "production-token");
    assert!(keys.sentry_dsn.is_none());
    let keys = store.api_keys(RuntimeMode::Development).await.unwrap();
    assert!(keys.discord_token.is_none());
    assert_eq!(keys.sentry_dsn.unwrap().expose_secret(), "https://key@example.com/1");
}

#[tokio::test]
async fn rows_that_nats_holds_and_we_do_not_understand_stay() {
    let world = World::nats().await;
    let store = world.store().await;
    store.register(GUILD, ALICE, &slug("web")).await.unwrap();
    let js = async_nats::jetstream::new(world.nats.client().await);
    let bucket = js.get_key_value("user-projects").await.unwrap();
    let odd = format!(r#"{{"2":["web"],"general":"x","{ALICE}":"web"}}"#);
    bucket.put(GUILD.to_string(), odd.into()).await.unwrap();

    assert_eq!(store.projects(GUILD).await.unwrap(), [(ALICE, "web".to_owned())].into());
    store.unregister(GUILD, ALICE).await.unwrap();
    let kept: Value = serde_json::from_slice(&bucket.get(GUILD.to_string()).await.unwrap().unwrap()).unwrap();
    assert_eq!(kept, json!({"2": ["web"], "general": "x"}));

    bucket.put(GUILD.to_string(), "no document".into()).await.unwrap();
    store.projects(GUILD).await.expect_err("nothing is guessed");
    store.register(GUILD, ALICE, &slug("web")).await.expect_err("nothing is overwritten");
    assert_eq!(bucket.get(GUILD.to_string()).await.unwrap().unwrap(), "no document");
}
