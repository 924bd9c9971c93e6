//! What the gateway does not take.

use sandbox_discord::{Config, Guild};
use serde_json::{Value, json};

use super::{GUILDS, Gateway, MESSAGE_CONTENT};
use crate::client::World;

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
