//! How a sandbox ends.

use std::time::{Duration, Instant};

use harness::wait::{SOON, wait_for};
use reqwest::Method;
use sandbox_sentry::{Config, Effect, Fault, SandboxSentry};

use crate::client::{World, http};

#[tokio::test]
async fn a_sandbox_ends_at_once_when_dropped_and_frees_its_port() {
    let world = World::with(Config::default());
    world.sandbox.add_fault(Fault::new(Effect::Silence));
    let waiting = tokio::spawn(world.request(&world.token, Method::GET, &world.path("")).send());
    wait_for("a request is in flight", SOON, || async { world.sandbox.requests().pop() }).await;
    let addr = world.sandbox.url().trim_start_matches("http://").parse().unwrap();
    let start = Instant::now();
    drop(world);
    assert!(start.elapsed() < Duration::from_secs(5));
    assert!(waiting.await.unwrap().is_err());
    let again = SandboxSentry::start(Config::default().addr(addr));
    assert_eq!(http().get(format!("{}/sandbox/state", again.url())).send().await.unwrap().status(), 200);
    assert!(SandboxSentry::try_start(Config::default().addr(addr)).is_err());
}
