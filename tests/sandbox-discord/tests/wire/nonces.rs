//! `enforce_nonce`.

use std::time::Duration;

use harness::wait::{SOON, wait_for};
use sandbox_discord::{Channel, Config};
use serde_json::{Value, json};

use crate::client::{World, unlimited};

fn message(content: &str, nonce: &str, enforce: bool) -> Value {
    json!({ "content": content, "nonce": nonce, "enforce_nonce": enforce })
}

#[tokio::test]
async fn a_repeated_nonce_returns_the_first_message_and_creates_none() {
    let world = World::start().await;
    let first = world.post(message("first", "n", true)).await;
    let again = world.post(message("second", "n", true)).await;
    assert_eq!(again.status, 200);
    assert_eq!(again.body["id"], first.body["id"]);
    assert_eq!(again.body["content"], "first");
    assert_eq!(world.contents(), ["first"]);
    assert_eq!(world.sandbox.stats().nonce_repeats, 1);
}

#[tokio::test]
async fn a_nonce_counts_in_every_channel_of_the_bot() {
    let world = World::start().await;
    let other = world.sandbox.add_channel(world.guild, Channel::text("other"));
    let first = world.post(message("first", "n", true)).await;
    let again = world.post_in(other, message("second", "n", true)).await;
    assert_eq!(again.body["id"], first.body["id"]);
    assert!(world.sandbox.messages(other).is_empty());
}

#[tokio::test]
async fn a_nonce_that_is_not_enforced_does_nothing() {
    let world = World::start().await;
    world.post(message("first", "n", false)).await;
    world.post(message("second", "n", false)).await;
    assert_eq!(world.contents(), ["first", "second"]);
}

#[tokio::test]
async fn the_repeat_of_a_deleted_message_is_unknown() {
    let world = World::start().await;
    let first = world.post(message("first", "n", true)).await;
    let id = first.body["id"].as_str().unwrap().parse().unwrap();
    assert!(world.sandbox.delete_message(world.channel, id));
    let again = world.post(message("second", "n", true)).await;
    assert_eq!((again.status, again.code()), (404, 10008));
    assert!(world.contents().is_empty());
}

#[tokio::test]
async fn a_nonce_is_forgotten_after_its_window() {
    let config =
        Config::default().clocks(unlimited).clocks(|clocks| clocks.nonce_window = Duration::from_secs(1));
    let world = World::with(config).await;
    world.post(message("first", "n", true)).await;
    world.post(message("repeat", "n", true)).await;
    assert_eq!(world.contents(), ["first"]);
    wait_for("the nonce is forgotten", SOON, || async {
        world.post(message("second", "n", true)).await;
        (world.contents() == ["first", "second"]).then_some(())
    })
    .await;
}
