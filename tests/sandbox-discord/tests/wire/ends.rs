//! How a sandbox ends.

use std::time::{Duration, Instant};

use harness::wait::{SOON, wait_for};
use sandbox_discord::{Config, Effect, Fault, Sandbox};

use crate::client::World;

#[tokio::test]
async fn a_sandbox_ends_at_once_when_dropped_and_frees_its_port() {
    let world = World::start().await;
    world.sandbox.add_fault(Fault::new(Effect::Silence(Duration::from_secs(60))));
    let waiting = tokio::spawn(
        world.request(reqwest::Method::POST, "/channels/1/messages").json(&serde_json::json!({})).send(),
    );
    wait_for("a post is in flight", SOON, || async {
        world.sandbox.stats().in_flight_max.contains_key(&1).then_some(())
    })
    .await;
    let addr = world.sandbox.url().trim_start_matches("http://").parse().unwrap();
    let start = Instant::now();
    drop(world);
    assert!(start.elapsed() < Duration::from_secs(5));
    assert!(waiting.await.unwrap().is_err());
    let again = Sandbox::start(Config::default().addr(addr)).await;
    assert_eq!(reqwest::get(again.url()).await.unwrap().status(), 200);
    assert!(Sandbox::try_start(Config::default().addr(addr)).is_err());
}
