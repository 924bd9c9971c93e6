//! The day's IDENTIFYs, and how many shards there are.

use std::time::Duration;

use harness::wait::{SOON, wait_for};

use crate::{
    scene::{Client, Scene, config},
    script::{Greeting, Script},
};

#[tokio::test]
async fn a_reserve_of_the_days_identifies_is_kept_for_first_ones() {
    let mut script = Script::start().await;
    script.change(|info| info.remaining = 1);
    let client = Client::start(&script.url(), "token").await;
    client.readiness_says("only 1 of the day's 1000 IDENTIFYs").await;
    assert!(!script.has_connection(), "the last is never used");

    script.change(|info| info.remaining = 100);
    let (mut connected, greeting) = script.next().await;
    assert_eq!(greeting, Greeting::Identify([0, 1]), "its first may use the reserve");
    connected.ready().await;
    client.is_ready().await;
    connected.close(4009).await;
    let words = client.readiness_says("only 100 of the day's 1000 IDENTIFYs").await;
    assert!(words.contains("shard 0: down since 2"), "{words}");
    let asked = script.info().asked;
    wait_for("it asks again", SOON, || async { (script.info().asked >= asked + 2).then_some(()) }).await;
    assert!(!script.has_connection(), "another may not");

    script.change(|info| info.remaining = 1000);
    let (mut connected, greeting) = script.next().await;
    assert_eq!(greeting, Greeting::Identify([0, 1]));
    connected.ready().await;
    client.is_ready().await;
    client.ends().await;
}

#[tokio::test]
async fn too_few_shards_are_shared_anew_as_discord_wants_them_now() {
    let mut script = Script::start().await;
    script.change(|info| info.max_concurrency = 3);
    let client = Client::start(&script.url(), "token").await;
    let (mut connected, greeting) = script.next().await;
    assert_eq!(greeting, Greeting::Identify([0, 1]));
    connected.ready().await;
    client.is_ready().await;
    connected.close(4011).await;
    client.readiness_says("closed with 4011 (sharding required)").await;
    let asked = script.info().asked;
    wait_for("it asks again", SOON, || async { (script.info().asked > asked).then_some(()) }).await;
    assert!(!script.has_connection(), "it would be closed the same way again");

    script.change(|info| info.shards = 3);
    let mut shards = Vec::new();
    for _ in 0..3 {
        let (mut connected, greeting) = script.next().await;
        connected.ready().await;
        shards.push((greeting, connected));
    }
    shards.sort_by_key(|(greeting, _)| format!("{greeting:?}"));
    for (number, (greeting, _)) in (0..).zip(&shards) {
        assert_eq!(*greeting, Greeting::Identify([number, 3]));
    }
    client.is_ready().await;
    client.ends().await;
}

#[tokio::test]
async fn a_session_that_keeps_ending_does_not_cost_the_token() {
    let day = |clocks: &mut sandbox_discord::Clocks| clocks.identify_day = Duration::from_secs(16);
    let scene = Scene::start(config().identifies_a_day(4).clocks(day)).await;
    scene.client.is_ready().await;
    for identifies in 2..=3 {
        scene.sandbox.close_gateway(4009);
        scene.wait_until("identified again", |sandbox| sandbox.stats().identifies == identifies).await;
        scene.client.is_ready().await;
    }
    scene.sandbox.close_gateway(4009);
    scene.client.readiness_says("only 1 of the day's 4 IDENTIFYs").await;
    // The next day.
    scene.wait_until("identified again", |sandbox| sandbox.stats().identifies == 4).await;
    scene.say("after");
    scene.client.hears("after").await;
    scene.ends().await;
}
