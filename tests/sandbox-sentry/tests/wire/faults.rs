//! Faults on demand.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use harness::wait::{SOON, wait_for};
use reqwest::Method;
use sandbox_sentry::{Effect, Fault, HttpAnswer, LimitBody, endpoint};
use serde_json::{Value, json};

use crate::client::{World, http};

fn resolved() -> Value {
    json!({ "status": "resolved" })
}

#[tokio::test]
async fn a_5xx_comes_before_or_after_the_change() {
    let world = World::start();
    world.sandbox.add_fault(Fault::new(Effect::Status(502)).times(1));
    assert_eq!((world.put(resolved()).await.status, world.kinds().len()), (502, 0));
    world.sandbox.add_fault(Fault::new(Effect::Status(500)).after().times(1));
    assert_eq!((world.put(resolved()).await.status, world.kinds().len()), (500, 1));
    assert_eq!((world.put(resolved()).await.status, world.kinds().len()), (200, 2));
}

#[tokio::test]
async fn a_connection_is_cut_before_or_after_the_change() {
    let world = World::start();
    for (fault, done) in [(Fault::new(Effect::Cut), 0), (Fault::new(Effect::Cut).after(), 1)] {
        world.sandbox.add_fault(fault.times(1));
        let request = world.request(&world.token, Method::PUT, &world.path(""));
        assert!(request.json(&resolved()).send().await.is_err());
        assert_eq!(world.kinds().len(), done);
    }
    assert!(world.sandbox.requests().iter().all(|request| request.status.is_none()));
}

#[tokio::test]
async fn silence_has_no_end() {
    let world = World::start();
    for (fault, done) in [(Fault::new(Effect::Silence), 0), (Fault::new(Effect::Silence).after(), 1)] {
        world.sandbox.add_fault(fault.times(1));
        let request = world.request(&world.token, Method::PUT, &world.path("")).json(&resolved());
        assert!(request.timeout(Duration::from_millis(200)).send().await.unwrap_err().is_timeout());
        assert_eq!(world.kinds().len(), done);
    }
}

#[tokio::test]
async fn a_slow_change_is_done_even_if_nobody_waits_for_it() {
    let world = World::start();
    world.sandbox.add_fault(Fault::new(Effect::Slow(Duration::from_millis(400))).times(1));
    let request = world.request(&world.token, Method::PUT, &world.path("")).json(&resolved());
    assert!(request.timeout(Duration::from_millis(50)).send().await.unwrap_err().is_timeout());
    assert!(world.kinds().is_empty());
    wait_for("the change", SOON, || async { (world.kinds() == ["set_resolved"]).then_some(()) }).await;
}

#[tokio::test]
async fn a_body_comes_a_byte_at_a_time() {
    let world = World::start();
    world.sandbox.add_fault(Fault::new(Effect::Trickle(Duration::from_millis(2))).times(2));
    let path = "/organizations/acme/";
    let request = world.request(&world.token, Method::GET, path);
    let error = request.timeout(Duration::from_millis(200)).send().await.unwrap().bytes().await.unwrap_err();
    assert!(error.is_timeout(), "{error:?}");
    let start = Instant::now();
    let slow = world.get(path).await;
    assert!(start.elapsed() > Duration::from_millis(400));
    assert_eq!(slow.body, world.get(path).await.body);
}

#[tokio::test]
async fn a_body_is_huge() {
    let world = World::start();
    world.sandbox.add_fault(Fault::new(Effect::Huge(20 << 20)).times(1));
    let request = world.request(&world.token, Method::GET, &world.path(""));
    let mut response = request.send().await.unwrap();
    let mut bytes = 0;
    while let Some(chunk) = response.chunk().await.unwrap() {
        bytes += chunk.len();
    }
    assert!(bytes > 20 << 20);
}

#[tokio::test]
async fn any_answer_can_be_put_in_place() {
    let world = World::start();
    let redirect = HttpAnswer::redirect(302, "http://127.0.0.2:1/api/0/");
    world.sandbox.add_fault(Fault::new(Effect::Answer(redirect)).times(1));
    let answer = world.get(&world.path("")).await;
    assert_eq!((answer.status, answer.header("location")), (302, "http://127.0.0.2:1/api/0/"));
    let page = HttpAnswer::html(200, "<h1>Sign in</h1>");
    world.sandbox.add_fault(Fault::new(Effect::Answer(page)).times(1));
    let answer = world.get(&world.path("")).await;
    assert_eq!((answer.status, answer.body), (200, json!("<h1>Sign in</h1>")));
    assert!(answer.headers["content-type"].to_str().unwrap().starts_with("text/html"));
}

#[tokio::test]
async fn a_429_says_when_it_ends_with_a_fraction() {
    let world = World::start();
    for form in [LimitBody::Detail, LimitBody::Text] {
        let effect = Effect::TooMany(Duration::from_millis(1500), form);
        world.sandbox.add_fault(Fault::new(effect).times(1));
        let answer = world.put(resolved()).await;
        assert_eq!((answer.status, answer.body.is_string()), (429, form == LimitBody::Text));
        let reset: f64 = answer.header("x-sentry-rate-limit-reset").parse().unwrap();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
        assert!((0.5..1.6).contains(&(reset - now)), "{}", reset - now);
    }
    assert!(world.kinds().is_empty());
}

#[tokio::test]
async fn an_issue_that_vanishes_meanwhile_is_a_204_without_a_body() {
    let world = World::start();
    world.sandbox.add_fault(Fault::new(Effect::NoGroups).times(1));
    let answer = world.put(resolved()).await;
    assert_eq!((answer.status, answer.body, world.kinds().len()), (204, Value::Null, 0));
}

#[tokio::test]
async fn a_fault_concerns_one_endpoint_and_stops_when_cleared() {
    let world = World::start();
    world.sandbox.add_fault(Fault::new(Effect::Status(503)).on_endpoint(endpoint::UPDATE_ISSUE));
    assert_eq!(world.get(&world.path("")).await.status, 200);
    assert_eq!(world.put(resolved()).await.status, 503);
    world.sandbox.clear_faults();
    assert_eq!(world.put(resolved()).await.status, 200);
    let state = http().get(format!("{}/sandbox/state", world.sandbox.url())).send().await.unwrap();
    assert_eq!(state.status(), 200);
}
