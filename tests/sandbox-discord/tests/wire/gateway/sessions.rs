//! The life of a session: heartbeats, losses, resumes.

use std::time::Duration;

use futures::StreamExt;
use harness::wait::{SOON, wait_for};
use sandbox_discord::Config;
use serde_json::json;
use tokio_tungstenite::tungstenite::{Message, protocol::CloseFrame};

use super::{GUILD_MESSAGES, GUILDS, Gateway};
use crate::client::World;

#[tokio::test]
async fn heartbeats_are_acknowledged_and_a_client_without_them_is_dropped() {
    let config = Config::default().clocks(|clocks| clocks.heartbeat = Duration::from_millis(500));
    let world = World::with(config).await;
    let (mut gateway, _) = Gateway::session(&world, GUILDS, [0, 1]).await;
    gateway.send(json!({ "op": 1, "d": 2 })).await;
    assert_eq!(gateway.payload().await["op"], 11);
    assert_eq!(gateway.close_code().await, 4009);
    wait_for("the session is gone", SOON, || async { world.sandbox.sessions().is_empty().then_some(()) })
        .await;
}

#[tokio::test]
async fn heartbeats_can_stay_unanswered() {
    let world = World::start().await;
    world.sandbox.acknowledge_heartbeats(false);
    let (mut gateway, _) = Gateway::session(&world, GUILDS | GUILD_MESSAGES, [0, 1]).await;
    gateway.send(json!({ "op": 1, "d": 2 })).await;
    world.sandbox.say(world.olivia, world.channel, "x").unwrap();
    gateway.event("MESSAGE_CREATE").await;
}

#[tokio::test]
async fn a_lost_session_resumes_and_gets_what_it_missed() {
    let world = World::start().await;
    let (mut gateway, ready) = Gateway::session(&world, GUILDS | GUILD_MESSAGES, [0, 1]).await;
    world.sandbox.say(world.olivia, world.channel, "seen").unwrap();
    let seen = gateway.event("MESSAGE_CREATE").await["s"].clone();
    world.sandbox.cut_gateway();
    assert!(!matches!(gateway.0.next().await, Some(Ok(Message::Text(_)))));
    world.sandbox.say(world.olivia, world.channel, "missed").unwrap();
    let mut gateway = Gateway::resume(&world, &ready, &seen).await;
    let id = gateway.event("MESSAGE_CREATE").await["d"]["id"].clone();
    let missed = &world.sandbox.messages(world.channel)[1];
    assert_eq!(id, missed.id.to_string());
    gateway.event("RESUMED").await;
    assert_eq!(world.sandbox.stats().resumes, 1);
    // The beginning of earlier connections is not sent again.
    let mut gateway = Gateway::resume(&world, &ready, &json!(0)).await;
    for event in ["GUILD_CREATE", "MESSAGE_CREATE", "MESSAGE_CREATE", "RESUMED"] {
        gateway.event(event).await;
    }
}

async fn is_invalid(gateway: &mut Gateway) {
    let invalid = gateway.payload().await;
    assert_eq!((&invalid["op"], &invalid["d"]), (&json!(9), &json!(false)));
}

#[tokio::test]
async fn a_session_that_cannot_go_on_is_gone() {
    let world = World::with(Config::default().events_kept(3)).await;
    let (mut gateway, ready) = Gateway::session(&world, GUILDS | GUILD_MESSAGES, [0, 1]).await;
    for _ in 0..4 {
        world.sandbox.say(world.olivia, world.channel, "x").unwrap();
        gateway.event("MESSAGE_CREATE").await;
    }
    // The third event is no longer kept, and after it all are.
    let mut gateway = Gateway::resume(&world, &ready, &json!(3)).await;
    for event in ["MESSAGE_CREATE", "MESSAGE_CREATE", "MESSAGE_CREATE", "RESUMED"] {
        gateway.event(event).await;
    }
    let mut gateway = Gateway::resume(&world, &ready, &json!(3)).await;
    is_invalid(&mut gateway).await;
    assert!(world.sandbox.sessions().is_empty());
}

#[tokio::test]
async fn a_sequence_that_never_was_ends_the_session() {
    let world = World::start().await;
    let (_gateway, ready) = Gateway::session(&world, GUILDS, [0, 1]).await;
    let mut gateway = Gateway::resume(&world, &ready, &json!(999)).await;
    assert_eq!(gateway.close_code().await, 4007);
    is_invalid(&mut Gateway::resume(&world, &ready, &json!(2)).await).await;
}

#[tokio::test]
async fn a_session_that_was_closed_on_purpose_is_gone() {
    let world = World::start().await;
    let (mut gateway, ready) = Gateway::session(&world, GUILDS, [0, 1]).await;
    gateway.0.close(Some(CloseFrame { code: 1000.into(), reason: "".into() })).await.unwrap();
    wait_for("the session is gone", SOON, || async { world.sandbox.sessions().is_empty().then_some(()) })
        .await;
    let mut gateway = Gateway::open(&world).await;
    let data = json!({ "token": "sandbox-token", "session_id": ready["session_id"], "seq": 1 });
    gateway.send(json!({ "op": 6, "d": data })).await;
    assert_eq!(gateway.payload().await["op"], 9);
}

#[tokio::test]
async fn the_server_can_ask_to_reconnect_and_invalidate() {
    let world = World::start().await;
    let (mut gateway, _) = Gateway::session(&world, GUILDS, [0, 1]).await;
    world.sandbox.reconnect_gateway();
    assert_eq!(gateway.payload().await["op"], 7);
    world.sandbox.invalidate_sessions(false);
    let invalid = gateway.payload().await;
    assert_eq!((&invalid["op"], &invalid["d"]), (&json!(9), &json!(false)));
    assert!(world.sandbox.sessions().is_empty());
    gateway.send(json!({ "op": 3, "d": {} })).await;
    assert_eq!(gateway.close_code().await, 4003);
}

#[tokio::test]
async fn a_gateway_can_be_closed_with_any_code() {
    let world = World::start().await;
    let (mut gateway, ready) = Gateway::session(&world, GUILDS, [0, 1]).await;
    world.sandbox.close_gateway(4000);
    assert_eq!(gateway.close_code().await, 4000);
    let mut gateway = Gateway::resume(&world, &ready, &json!(2)).await;
    gateway.event("RESUMED").await;
    world.sandbox.close_gateway(4009);
    assert_eq!(gateway.close_code().await, 4009);
    is_invalid(&mut Gateway::resume(&world, &ready, &json!(2)).await).await;
}

#[tokio::test]
async fn the_presence_is_recorded() {
    let world = World::start().await;
    let mut gateway = Gateway::open(&world).await;
    let presence = json!({ "status": "online", "activities": [{ "name": "!sentry h", "type": 0 }] });
    gateway.identify(json!({ "presence": presence })).await;
    gateway.event("READY").await;
    assert_eq!(world.sandbox.sessions()[0].presence, presence);
}
