//! The gateway as a client without a library sees it.

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use harness::wait::{SOON, wait_for};
use sandbox_discord::{Channel, Config, Guild};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, protocol::CloseFrame},
};

use crate::client::{World, unlimited};

const GUILDS: u64 = 1;
const GUILD_MESSAGES: u64 = 1 << 9;
const MESSAGE_CONTENT: u64 = 1 << 15;

struct Gateway(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Gateway {
    async fn connect(world: &World, query: &str) -> Self {
        let url = format!("{}/{query}", world.sandbox.url().replace("http", "ws"));
        Self(connect_async(url).await.unwrap().0)
    }

    /// Connects and reads HELLO.
    async fn open(world: &World) -> Self {
        let mut gateway = Self::connect(world, "?v=10&encoding=json").await;
        let hello = gateway.payload().await;
        assert_eq!(hello["op"], 10);
        assert!(hello["d"]["heartbeat_interval"].as_u64().unwrap() > 0);
        gateway
    }

    /// Has a session, and reads up to the last GUILD_CREATE.
    async fn session(world: &World, intents: u64, shard: [u32; 2]) -> (Self, Value) {
        let mut gateway = Self::open(world).await;
        gateway.identify(json!({ "intents": intents, "shard": shard })).await;
        let ready = gateway.event("READY").await;
        let guilds = ready["d"]["guilds"].as_array().unwrap().len();
        for _ in 0..guilds {
            gateway.event("GUILD_CREATE").await;
        }
        (gateway, ready["d"].clone())
    }

    async fn send(&mut self, payload: Value) {
        self.0.send(Message::Text(payload.to_string())).await.unwrap();
    }

    async fn identify(&mut self, changes: Value) {
        let mut data = json!({
            "token": "sandbox-token", "intents": GUILDS,
            "properties": { "os": "linux", "browser": "test", "device": "test" },
        });
        for (name, value) in changes.as_object().unwrap() {
            data[name] = value.clone();
        }
        self.send(json!({ "op": 2, "d": data })).await;
    }

    async fn next(&mut self) -> Message {
        tokio::time::timeout(SOON, self.0.next()).await.expect("the gateway says something").unwrap().unwrap()
    }

    async fn payload(&mut self) -> Value {
        match self.next().await {
            Message::Text(text) => serde_json::from_str(&text).unwrap(),
            other => panic!("expected a payload, got {other:?}"),
        }
    }

    async fn event(&mut self, name: &str) -> Value {
        let payload = self.payload().await;
        assert_eq!(payload["t"], name, "{payload}");
        payload
    }

    async fn close_code(&mut self) -> u16 {
        match self.next().await {
            Message::Close(Some(CloseFrame { code, .. })) => code.into(),
            other => panic!("expected a close frame, got {other:?}"),
        }
    }
}

async fn identify_is_closed_with(code: u16, config: Config, changes: Value) {
    let world = World::with(config).await;
    let mut gateway = Gateway::open(&world).await;
    gateway.identify(changes).await;
    assert_eq!(gateway.close_code().await, code);
}

#[tokio::test]
async fn final_mistakes_are_closed_with_their_code() {
    let config = Config::default;
    identify_is_closed_with(4004, config(), json!({ "token": "wrong" })).await;
    identify_is_closed_with(4010, config(), json!({ "shard": [1, 1] })).await;
    identify_is_closed_with(4010, config(), json!({ "shard": [0, 0] })).await;
    identify_is_closed_with(4013, config(), json!({ "intents": 1u64 << 40 })).await;
    identify_is_closed_with(4014, config(), json!({ "intents": 1 << 1 })).await;
    let without = config().message_content(false);
    identify_is_closed_with(4014, without, json!({ "intents": MESSAGE_CONTENT })).await;
    identify_is_closed_with(4002, config(), json!({ "intents": "all" })).await;
}

#[tokio::test]
async fn more_than_2500_guilds_need_shards() {
    let world = World::start().await;
    for _ in 0..2500 {
        world.sandbox.add_guild(Guild::new("guild", world.olivia));
    }
    let mut gateway = Gateway::open(&world).await;
    gateway.identify(json!({ "shard": [0, 1] })).await;
    assert_eq!(gateway.close_code().await, 4011);
}

#[tokio::test]
async fn other_versions_and_encodings_are_not_spoken() {
    let world = World::start().await;
    for (query, code) in
        [("?v=9", 4012), ("", 4012), ("?v=10&encoding=etf", 4002), ("?v=10&compress=zlib-stream", 4002)]
    {
        let mut gateway = Gateway::connect(&world, query).await;
        assert_eq!(gateway.close_code().await, code, "{query}");
    }
}

#[tokio::test]
async fn the_order_of_payloads_is_enforced() {
    let world = World::start().await;
    for (payload, code) in [
        (json!({ "op": 3, "d": {} }), 4003),
        (json!({ "no": "opcode" }), 4002),
        (json!({ "op": 2, "d": {} }), 4002),
    ] {
        let mut gateway = Gateway::open(&world).await;
        gateway.send(payload).await;
        assert_eq!(gateway.close_code().await, code);
    }
    let (mut gateway, _) = Gateway::session(&world, GUILDS, [0, 1]).await;
    gateway.identify(json!({})).await;
    assert_eq!(gateway.close_code().await, 4005);
    let mut gateway = Gateway::open(&world).await;
    for _ in 0..121 {
        gateway.send(json!({ "op": 1, "d": null })).await;
    }
    for _ in 0..120 {
        assert_eq!(gateway.payload().await["op"], 11);
    }
    assert_eq!(gateway.close_code().await, 4008);
}

#[tokio::test]
async fn heartbeats_are_acknowledged_and_a_client_without_them_is_dropped() {
    let config = Config::default().clocks(|clocks| clocks.heartbeat = Duration::from_millis(100));
    let world = World::with(config).await;
    let (mut gateway, _) = Gateway::session(&world, GUILDS, [0, 1]).await;
    gateway.send(json!({ "op": 1, "d": 2 })).await;
    assert_eq!(gateway.payload().await["op"], 11);
    assert_eq!(gateway.close_code().await, 4009);
    wait_for("the session is no longer connected", SOON, || async {
        (!world.sandbox.sessions()[0].connected).then_some(())
    })
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
async fn a_second_identify_within_the_window_is_invalid_and_noted() {
    let world = World::start().await;
    let (_first, _) = Gateway::session(&world, GUILDS, [0, 2]).await;
    let mut second = Gateway::open(&world).await;
    second.identify(json!({ "shard": [1, 2] })).await;
    let refused = second.payload().await;
    assert_eq!((&refused["op"], &refused["d"]), (&json!(9), &json!(false)));
    assert_eq!(world.sandbox.stats().violations.len(), 1);
}

#[tokio::test]
async fn max_concurrency_shards_identify_at_once() {
    let world = World::with(Config::default().max_concurrency(2)).await;
    let (_first, _) = Gateway::session(&world, GUILDS, [0, 2]).await;
    let (_second, ready) = Gateway::session(&world, GUILDS, [1, 2]).await;
    assert_eq!(ready["shard"], json!([1, 2]));
    assert!(world.sandbox.stats().violations.is_empty());
    assert_eq!(world.get("/gateway/bot").await.body["session_start_limit"]["remaining"], 998);
}

#[tokio::test]
async fn two_sessions_of_one_shard_both_get_the_event_and_are_counted() {
    let config = Config::default().clocks(|clocks| clocks.identify_window = Duration::ZERO);
    let world = World::with(config).await;
    let intents = GUILDS | GUILD_MESSAGES;
    let (mut first, _) = Gateway::session(&world, intents, [0, 1]).await;
    let (mut second, _) = Gateway::session(&world, intents, [0, 1]).await;
    world.sandbox.say(world.olivia, world.channel, "x").unwrap();
    first.event("MESSAGE_CREATE").await;
    second.event("MESSAGE_CREATE").await;
    assert_eq!(world.sandbox.stats().sessions_max["0/1"], 2);
}

#[tokio::test]
async fn events_go_to_the_shard_of_their_guild() {
    let config = Config::default().clocks(|clocks| clocks.identify_window = Duration::ZERO);
    let world = World::with(config).await;
    let mut channels = Vec::new();
    for shard in 0..2 {
        let guild = world.sandbox.add_guild(Guild::new("guild", world.olivia).on_shard(shard, 2));
        channels.push(world.sandbox.add_channel(guild, Channel::text("c")));
    }
    let intents = GUILDS | GUILD_MESSAGES | MESSAGE_CONTENT;
    let (mut zero, _) = Gateway::session(&world, intents, [0, 2]).await;
    let (mut one, _) = Gateway::session(&world, intents, [1, 2]).await;
    world.sandbox.say(world.olivia, channels[0], "to zero").unwrap();
    world.sandbox.say(world.olivia, channels[1], "to one").unwrap();
    assert_eq!(zero.event("MESSAGE_CREATE").await["d"]["content"], "to zero");
    assert_eq!(one.event("MESSAGE_CREATE").await["d"]["content"], "to one");
}

#[tokio::test]
async fn content_is_empty_without_the_intent_unless_the_bot_is_mentioned_or_the_message_private() {
    let world = World::with(Config::default().message_content(false).clocks(unlimited)).await;
    let intents = GUILDS | GUILD_MESSAGES | 1 << 12;
    let (mut gateway, _) = Gateway::session(&world, intents, [0, 1]).await;
    let bot = world.sandbox.bot();
    let private = world.sandbox.private_channel(world.olivia);
    for (channel, said, heard) in [
        (world.channel, "!sentry h".to_owned(), String::new()),
        (world.channel, format!("<@{bot}> h"), format!("<@{bot}> h")),
        (private, "hello".to_owned(), "hello".to_owned()),
    ] {
        world.sandbox.say(world.olivia, channel, &said).unwrap();
        assert_eq!(gateway.event("MESSAGE_CREATE").await["d"]["content"], heard);
    }
    world.post(json!({ "content": "own" })).await;
    assert_eq!(gateway.event("MESSAGE_CREATE").await["d"]["content"], "own");
    let listed = world.get(&format!("/channels/{}/messages", world.channel)).await;
    assert_eq!(listed.body[2]["content"], "");
}

#[tokio::test]
async fn intents_choose_the_events() {
    let world = World::start().await;
    let (mut gateway, _) = Gateway::session(&world, GUILDS, [0, 1]).await;
    world.sandbox.say(world.olivia, world.channel, "x").unwrap();
    world.sandbox.add_channel(world.guild, Channel::text("new"));
    gateway.event("CHANNEL_CREATE").await;
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
    let resume = |sequence: Value| {
        json!({ "op": 6, "d": {
        "token": "sandbox-token", "session_id": ready["session_id"], "seq": sequence,
    } })
    };
    let mut gateway = Gateway::open(&world).await;
    gateway.send(resume(json!(999))).await;
    assert_eq!(gateway.close_code().await, 4007);
    let mut gateway = Gateway::open(&world).await;
    gateway.send(resume(seen)).await;
    let id = gateway.event("MESSAGE_CREATE").await["d"]["id"].clone();
    let missed = &world.sandbox.messages(world.channel)[1];
    assert_eq!(id, missed.id.to_string());
    gateway.event("RESUMED").await;
    assert_eq!(world.sandbox.stats().resumes, 1);
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
}

#[tokio::test]
async fn a_gateway_can_be_closed_with_any_code() {
    let world = World::start().await;
    let (mut gateway, _) = Gateway::session(&world, GUILDS, [0, 1]).await;
    world.sandbox.close_gateway(4000);
    assert_eq!(gateway.close_code().await, 4000);
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
