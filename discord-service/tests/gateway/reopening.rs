//! What may open a channel that refused alerts is told to all pods.

use std::{collections::BTreeMap, time::Duration};

use discord_service::reopening::Reopening;
use futures::StreamExt as _;
use sandbox_discord::Target;
use serde_json::{Value, json};
use shared::wire;
use tokio::time::timeout;

use crate::{
    scene::{Client, Scene, config},
    script::{BOT, Script},
};

#[tokio::test]
async fn each_event_that_may_open_a_channel_is_told_once_and_others_cost_nothing() {
    let mut script = Script::start().await;
    let client = Client::start(&script.url(), "token").await;
    let mut told = client.nats.subscribe(wire::REOPENING).await.expect("it is connected");
    let (mut connected, _) = script.next().await;
    connected.ready().await;
    client.is_ready().await;

    // Each in a guild of its own.
    let events = [
        ("GUILD_CREATE", json!({"id": "1", "unavailable": false, "channels": []})),
        ("CHANNEL_UPDATE", json!({"guild_id": "2", "id": "12", "type": 0})),
        ("THREAD_CREATE", json!({"guild_id": "3", "id": "13", "parent_id": "12"})),
        ("THREAD_UPDATE", json!({"guild_id": "4", "id": "14", "parent_id": "12"})),
        ("THREAD_LIST_SYNC", json!({"guild_id": "5", "channel_ids": ["15"], "threads": [], "members": []})),
        ("THREAD_MEMBERS_UPDATE", json!({"guild_id": "6", "id": "16", "added_members": [{"user_id": BOT}]})),
        ("GUILD_ROLE_CREATE", json!({"guild_id": "7", "role": {"id": "17"}})),
        ("GUILD_ROLE_UPDATE", json!({"guild_id": "8", "role": {"id": "18"}})),
        ("GUILD_ROLE_DELETE", json!({"guild_id": "9", "role_id": "19"})),
        ("GUILD_MEMBER_UPDATE", json!({"guild_id": "10", "user": {"id": BOT}, "roles": []})),
        // In vain: others than the bot, an outage, and shapes that no documentation tells.
        ("GUILD_MEMBER_UPDATE", json!({"guild_id": "90", "user": {"id": "8"}})),
        ("THREAD_MEMBERS_UPDATE", json!({"guild_id": "90", "id": "1", "added_members": [{"user_id": "8"}]})),
        ("GUILD_CREATE", json!({"id": "90", "unavailable": true})),
        ("CHANNEL_UPDATE", json!({"guild_id": 90, "id": {}})),
        ("GUILD_ROLE_UPDATE", Value::Null),
        ("GUILD_CREATE", json!([])),
    ];
    let mut seq = 1;
    for (event, data) in &events {
        seq += 1;
        connected.dispatch(seq, event, data).await;
    }
    // A role that is moved past many others.
    for _ in 0..500 {
        seq += 1;
        connected.dispatch(seq, "GUILD_ROLE_UPDATE", &json!({"guild_id": "11", "role": {"id": "1"}})).await;
    }
    let typed =
        json!({"id": "1", "guild_id": "99", "channel_id": "1", "author": {"id": "4"}, "content": "hi"});
    connected.dispatch(seq + 1, "MESSAGE_CREATE", &typed).await;
    client.hears("hi").await;
    connected.dispatch(seq + 2, "GUILD_CREATE", &json!({"id": "99"})).await;

    let (mut heard, mut messages) = (BTreeMap::new(), 0);
    while !heard.contains_key(&99) {
        let message = timeout(harness::wait::SOON, told.next()).await.expect("in time").expect("it goes on");
        let told = Reopening::decode(&message.payload).expect("it is readable");
        messages += 1;
        heard.insert(told.guild.get(), told);
    }
    let channels =
        |guild: u64| heard[&guild].channels.clone().map(|ids| ids.iter().map(|id| id.get()).collect());
    for guild in 2..=6 {
        assert_eq!(channels(guild), Some(vec![guild + 10]), "{guild}");
    }
    for guild in [1, 7, 8, 9, 10, 11, 99] {
        assert_eq!(channels(guild), None, "{guild}");
    }
    let spread: Vec<u64> = heard.values().filter(|told| told.spread).map(|told| told.guild.get()).collect();
    assert_eq!(spread, [1, 99], "only new guilds come in crowds");
    assert_eq!(heard.len(), 12, "{heard:?}");
    assert!(messages <= 20, "a crowd of events is told together: {messages}");
    client.ends().await;
}

#[tokio::test]
async fn what_happens_to_the_bot_in_a_guild_is_told() {
    let scene = Scene::start(config()).await;
    let mut told = scene.client.nats.subscribe(wire::REOPENING).await.expect("it is connected");
    let mut next = async || {
        let message = timeout(harness::wait::SOON, told.next()).await.expect("in time").expect("it goes on");
        let told = Reopening::decode(&message.payload).expect("it is readable");
        assert_eq!(told.guild.get(), scene.guild);
        (told.channels.map(|ids| ids.iter().map(|id| id.get()).collect::<Vec<_>>()), told.spread)
    };
    scene.client.is_ready().await;
    assert_eq!(next().await, (None, true), "as the session begins");
    scene.sandbox.set_overwrite(scene.general, Target::Member(scene.sandbox.bot()), 1 << 11, 0);
    assert_eq!(next().await, (Some(vec![scene.general]), false), "given a permission");
    scene.sandbox.time_out(scene.guild, scene.sandbox.bot(), Duration::from_secs(60));
    assert_eq!(next().await, (None, false), "timed out");
    scene.sandbox.lift_time_out(scene.guild, scene.sandbox.bot());
    assert_eq!(next().await, (None, false), "no longer timed out");
    scene.sandbox.remove_member(scene.guild, scene.sandbox.bot());
    scene.sandbox.invite_bot(scene.guild);
    assert_eq!(next().await, (None, true), "kicked and invited again");
    scene.ends().await;
}
