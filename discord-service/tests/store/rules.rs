//! Rules and mutes in the store.

use std::time::Duration;

use async_nats::jetstream;
use discord_service::{
    rules::{Action, ChannelRules, Conditions, Kind, Level, Mute, MuteScope, Rule, Rulebook, VERSION},
    store::Store,
};
use futures::future::join_all;
use harness::{
    firestore::FirestoreEmulator,
    wait::{SOON, wait_for},
};
use serde_json::json;
use shared::{ChannelId, RoleId, alert::Ping, wire};

use crate::{
    in_both_stores,
    world::{ALICE, CHANNEL, GUILD, OTHER_CHANNEL, OTHER_GUILD, World},
};

in_both_stores!(
    rules_are_kept_as_they_were_written_and_replaced_only_as_they_were_read,
    of_changes_at_the_same_instant_none_is_lost,
    another_instance_sees_a_change_within_a_second,
    a_command_that_comes_again_changes_nothing,
);

const LONG: Duration = Duration::from_secs(3_600);
const SECOND: Duration = Duration::from_secs(1);

fn rule(project: &str) -> Rule {
    let conditions = Conditions {
        project: Some(project.parse().unwrap()),
        environment: Some("prod*".parse().unwrap()),
        level: Some(Level::Warning),
        kind: Some(Kind::Error),
    };
    let (action, ping) =
        (Action::Route(OTHER_CHANNEL), Some(Ping::Role(RoleId::new(800_000_000_000_000_009))));
    Rule { id: 0, conditions, action, ping, by: ALICE, made_ms: 1_700_000_000_123 }
}

fn mute(scope: MuteScope) -> Mute {
    let reason = Some("a deployment".to_owned());
    Mute { number: 0, scope, until_ms: 1_700_003_600_123, reason, by: ALICE, made_ms: 1_700_000_000_123 }
}

/// One of each.
fn full() -> ChannelRules {
    let mut rules = ChannelRules { v: VERSION, ..ChannelRules::default() };
    let plain = Rule { conditions: Conditions::default(), ping: Some(Ping::User(ALICE)), ..rule("x") };
    for rule in [
        rule("web-*"),
        Rule { action: Action::Drop, ..plain.clone() },
        Rule { action: Action::Keep, ..plain },
    ] {
        rules.add_rule(rule).unwrap();
    }
    for scope in [MuteScope::Conditions(rule("é*").conditions), MuteScope::issue("BACKEND-1F").unwrap()] {
        rules.add_mute(mute(scope)).unwrap();
    }
    rules
}

async fn replaced(store: &dyn Store, former: &ChannelRules, latest: &ChannelRules) -> bool {
    store.replace_rules(CHANNEL, former, latest).await.unwrap()
}

async fn rules_are_kept_as_they_were_written_and_replaced_only_as_they_were_read(world: World) {
    let (one, other) = (world.store().await, world.store().await);
    let (none, full) = (ChannelRules::default(), full());
    assert_eq!(*one.rules(CHANNEL).await.unwrap(), none);
    assert!(!replaced(&*one, &full, &none).await, "nothing is there");
    assert!(replaced(&*one, &none, &full).await);
    assert_eq!(*other.rules(CHANNEL).await.unwrap(), full);
    assert_eq!(*other.rules_now(CHANNEL).await.unwrap(), full);
    assert_eq!(*other.rules(OTHER_CHANNEL).await.unwrap(), none);
    assert!(!replaced(&*other, &none, &full).await, "something is there");
    let emptied = ChannelRules { rules: Vec::new(), mutes: Vec::new(), ..full.clone() };
    assert!(replaced(&*other, &full, &emptied).await);
    assert_eq!(*one.rules(CHANNEL).await.unwrap(), emptied, "numbers are not used again");
    // The predecessor's lists do not see it.
    assert_eq!(one.channels(GUILD).await.unwrap(), []);

    let newer = ChannelRules { v: VERSION + 1, ..emptied.clone() };
    assert!(replaced(&*one, &emptied, &newer).await);
    one.rules(CHANNEL).await.expect_err("a newer build may mean more by it");
    one.rules_now(CHANNEL).await.expect_err("nor is it changed");
}

async fn of_changes_at_the_same_instant_none_is_lost(world: World) {
    world.store().await.authorize(GUILD, CHANNEL).await.unwrap();
    let (one, other) = (Rulebook::new(world.store().await), Rulebook::new(world.store().await));
    let changes = (0..8).map(|number: usize| {
        let pod = if number.is_multiple_of(2) { &one } else { &other };
        let added = rule(&format!("p{number}"));
        async move { pod.change(CHANNEL, |rules| rules.add_rule(added.clone())).await.unwrap().unwrap() }
    });
    let mut numbers = join_all(changes).await;
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=8).collect::<Vec<_>>());
    let (removed, muted) = tokio::join!(
        one.change(CHANNEL, |rules| rules.remove_rule(1)),
        other.change(CHANNEL, |rules| rules.add_mute(mute(MuteScope::issue("7").unwrap()))),
    );
    assert!(removed.unwrap().is_some() && muted.unwrap().is_ok());
    let kept = world.store().await.rules(CHANNEL).await.unwrap();
    let last = rule("x").made_ms.unsigned_abs() + 7;
    assert_eq!((kept.v, kept.rules.len(), kept.mutes.len(), kept.last_rule), (VERSION, 7, 1, last));
}

async fn another_instance_sees_a_change_within_a_second(world: World) {
    let (one, other) = (world.cached(LONG).await, world.cached(LONG).await);
    let (none, full) = (ChannelRules::default(), full());
    assert_eq!(*other.rules(CHANNEL).await.unwrap(), none);
    assert!(replaced(&one, &none, &full).await);
    assert_eq!(*one.rules(CHANNEL).await.unwrap(), full, "its own at once");
    wait_for("the change is seen", SECOND, || async {
        other.rules(CHANNEL).await.ok().filter(|seen| **seen == full)
    })
    .await;
    // Nobody announces this one: it is remembered, and read for a change all the same.
    assert!(replaced(&*world.store().await, &full, &none).await);
    assert_eq!(*other.rules(CHANNEL).await.unwrap(), full);
    assert_eq!(*other.rules_now(CHANNEL).await.unwrap(), none);
}

async fn a_command_that_comes_again_changes_nothing(world: World) {
    let (one, other) = (Rulebook::new(world.store().await), Rulebook::new(world.store().await));
    let quiet = mute(MuteScope::issue("7").unwrap());
    let mutes = |book: Rulebook, command| {
        let quiet = quiet.clone();
        async move { book.change_once(CHANNEL, command, |rules| rules.add_mute(quiet.clone())).await.unwrap() }
    };
    // As large as Discord's ids are.
    let command = 1_500_000_000_000_000_001;
    assert_eq!(mutes(one.clone(), command).await, Some(Ok(1)));
    assert_eq!(mutes(other.clone(), command + 1).await, Some(Ok(2)));
    assert_eq!(mutes(other, command).await, None);
    let kept = world.store().await.rules_now(CHANNEL).await.unwrap();
    assert_eq!((kept.mutes.len(), &*kept.commands), (2, &[command, command + 1][..]));
}

#[tokio::test]
async fn an_unreadable_document_of_firestore_is_no_channel_without_rules() {
    let Some(emulator) = FirestoreEmulator::shared().await else { return };
    let database = emulator.project();
    let store = World::firestore_at(&emulator.host(), &database).await.store().await;
    for fields in [
        json!({"v": {"integerValue": "1"}, "rules": {"stringValue": "none"}}),
        json!({"v": {"stringValue": "one"}}),
    ] {
        database.write(&format!("channel-rules/{CHANNEL}"), fields).await;
        store.rules(CHANNEL).await.expect_err("nobody knows its rules");
    }
}

#[tokio::test]
async fn an_unreadable_key_of_nats_is_no_channel_without_rules() {
    let world = World::nats().await;
    let store = world.store().await;
    store.rules(CHANNEL).await.unwrap();
    let bucket = bucket(&world, wire::CHANNEL_RULES).await;
    for rubbish in ["rubbish", "[]", "{}", r#"{"v":1}"#, r#"{"v":1,"rules":[{"id":1,"action":"burn"}]}"#] {
        bucket.put(CHANNEL.to_string(), rubbish.into()).await.unwrap();
        store.rules(CHANNEL).await.expect_err(rubbish);
    }
}

#[tokio::test]
async fn rules_that_nats_has_lost_are_missed_until_there_are_rules_again() {
    let world = World::nats().await;
    let store = world.store().await;
    let rulebook = Rulebook::new(store.clone());
    store.authorize(GUILD, CHANNEL).await.unwrap();
    store.authorize(GUILD, OTHER_CHANNEL).await.unwrap();
    rulebook.change(CHANNEL, |rules| rules.add_rule(rule("web"))).await.unwrap().unwrap();
    // A row that is made later notes it too.
    store.authorize(OTHER_GUILD, CHANNEL).await.unwrap();
    store.revoke(GUILD, CHANNEL).await.unwrap();

    lose(&world, &*store, wire::CHANNEL_RULES).await;
    store.rules(CHANNEL).await.expect_err("it had rules");
    assert_eq!(*store.rules(OTHER_CHANNEL).await.unwrap(), ChannelRules::default());
    let quiet = mute(MuteScope::issue("7").unwrap());
    rulebook.change(CHANNEL, |rules| rules.add_mute(quiet.clone())).await.unwrap().unwrap();
    store.rules(CHANNEL).await.expect_err("a mute is no rule");
    rulebook.change(CHANNEL, |rules| rules.add_rule(rule("web"))).await.unwrap().unwrap();
    assert_eq!(store.rules(CHANNEL).await.unwrap().rules.len(), 1);

    rulebook.change(CHANNEL, |rules| rules.remove_rule(1)).await.unwrap().unwrap();
    lose(&world, &*store, wire::CHANNEL_RULES).await;
    assert_eq!(*store.rules(CHANNEL).await.unwrap(), ChannelRules::default(), "it had none any more");
}

#[tokio::test]
async fn a_first_rule_that_cannot_be_written_leaves_the_channel_without_rules() {
    let world = World::nats().await;
    let store = world.store().await;
    let rulebook = Rulebook::new(store.clone());
    store.authorize(GUILD, CHANNEL).await.unwrap();
    assert_eq!(*store.rules(CHANNEL).await.unwrap(), ChannelRules::default());
    let js = jetstream::new(world.nats.client().await);
    let stream = js.get_stream(wire::bucket_stream(wire::CHANNEL_RULES)).await.unwrap();
    let config = stream.cached_info().config.clone();
    js.update_stream(&jetstream::stream::Config { max_message_size: 1, ..config }).await.unwrap();
    rulebook.change(CHANNEL, |rules| rules.add_rule(rule("web"))).await.expect_err("it is too long");
    assert_eq!(*store.rules(CHANNEL).await.unwrap(), ChannelRules::default());
}

#[tokio::test]
async fn the_note_of_rules_comes_back_with_the_list_of_channels_and_leaves_the_note_of_trust_alone() {
    let world = World::nats().await;
    let store = world.store().await;
    let rulebook = Rulebook::new(store.clone());
    store.authorize(GUILD, CHANNEL).await.unwrap();
    let secured = shared::trust::ChannelTrust { v: 1, secured: true, secured_ms: 7, ..Default::default() };
    assert!(store.replace_trust(CHANNEL, None, &secured).await.unwrap());
    rulebook.change(CHANNEL, |rules| rules.add_rule(rule("web"))).await.unwrap().unwrap();
    assert_eq!(note(&world, CHANNEL).await, json!({"secured_ms": 7, "rules": true}));
    lose(&world, &*store, wire::CHANNEL_LIST).await;
    store.authorize(GUILD, CHANNEL).await.unwrap();
    assert_eq!(note(&world, CHANNEL).await, json!({"secured_ms": 7, "rules": true}));
    rulebook.change(CHANNEL, |rules| rules.remove_rule(1)).await.unwrap().unwrap();
    assert_eq!(note(&world, CHANNEL).await, json!({"secured_ms": 7}));
}

async fn bucket(world: &World, name: &str) -> jetstream::kv::Store {
    jetstream::new(world.nats.client().await).get_key_value(name).await.unwrap()
}

async fn note(world: &World, channel: ChannelId) -> serde_json::Value {
    let entry = bucket(world, wire::CHANNEL_LIST).await.get(format!("{channel}.{GUILD}")).await.unwrap();
    serde_json::from_slice(&entry.expect("it is authorized")).unwrap()
}

/// Deletes the bucket, and waits until the store has made it again.
async fn lose(world: &World, store: &dyn Store, bucket: &str) {
    jetstream::new(world.nats.client().await).delete_key_value(bucket).await.unwrap();
    wait_for("the bucket is made again", SOON, || async {
        store.rules(OTHER_CHANNEL).await.ok()?;
        store.guilds_listing(OTHER_CHANNEL).await.ok()
    })
    .await;
}
