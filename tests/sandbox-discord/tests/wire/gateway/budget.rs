//! The day's identifies.

use std::time::Duration;

use harness::wait::{SOON, wait_for};
use sandbox_discord::Config;
use serde_json::{Value, json};

use super::{GUILDS, Gateway};
use crate::client::World;

fn budget(identifies: u32, day: Duration) -> Config {
    Config::default().identifies_a_day(identifies).clocks(|clocks| {
        clocks.identify_window = Duration::ZERO;
        clocks.identify_day = day;
    })
}

async fn left(world: &World) -> Value {
    world.get("/gateway/bot").await.body["session_start_limit"].clone()
}

#[tokio::test]
async fn a_bot_that_uses_up_its_identifies_loses_its_sessions_and_its_token() {
    let world = World::with(budget(2, Duration::from_secs(60))).await;
    let unused = left(&world).await;
    assert_eq!(
        (&unused["total"], &unused["remaining"], &unused["reset_after"]),
        (&json!(2), &json!(2), &json!(0))
    );
    let (mut first, _) = Gateway::session(&world, GUILDS, [0, 2]).await;
    let (mut second, _) = Gateway::session(&world, GUILDS, [1, 2]).await;
    let used = left(&world).await;
    assert_eq!(used["remaining"], 0);
    let reset_after = used["reset_after"].as_u64().unwrap();
    assert!((50_000..=60_000).contains(&reset_after), "{reset_after}");

    let request = world.request(reqwest::Method::GET, "/users/@me");
    let mut third = Gateway::open(&world).await;
    third.identify(json!({ "shard": [0, 2] })).await;
    for gateway in [&mut first, &mut second, &mut third] {
        assert_eq!(gateway.close_code().await, 4004);
    }
    assert_eq!(request.send().await.unwrap().status(), 401);
    let mut again = Gateway::open(&world).await;
    again.identify(json!({})).await;
    assert_eq!(again.close_code().await, 4004);
    assert_ne!(world.sandbox.token(), "sandbox-token");
    assert_eq!(world.sandbox.stats().violations.len(), 1);
}

#[tokio::test]
async fn a_resume_costs_nothing_and_a_new_day_brings_new_identifies() {
    let world = World::with(budget(1, Duration::from_secs(1))).await;
    let (_gateway, ready) = Gateway::session(&world, GUILDS, [0, 1]).await;
    let mut gateway = Gateway::resume(&world, &ready, &json!(2)).await;
    gateway.event("RESUMED").await;
    wait_for("a new day", SOON, || async { (left(&world).await["remaining"] == 1).then_some(()) }).await;
    Gateway::session(&world, GUILDS, [0, 1]).await;
    assert!(world.sandbox.stats().violations.is_empty());
}
