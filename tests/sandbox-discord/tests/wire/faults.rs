//! Faults on demand.

use std::time::{Duration, Instant};

use harness::wait::{SOON, wait_for};
use sandbox_discord::{Channel, Effect, Fault, Scope};
use serde_json::json;

use crate::client::{World, read};

async fn status(world: &World) -> u16 {
    world.post(json!({ "content": "x" })).await.status
}

#[tokio::test]
async fn a_5xx_comes_before_or_after_the_message_is_created() {
    let world = World::start().await;
    world.sandbox.add_fault(Fault::new(Effect::Status(503)).times(1));
    assert_eq!((status(&world).await, world.contents().len()), (503, 0));
    world.sandbox.add_fault(Fault::new(Effect::Status(500)).after().times(1));
    assert_eq!((status(&world).await, world.contents().len()), (500, 1));
    assert_eq!((status(&world).await, world.contents().len()), (200, 2));
}

#[tokio::test]
async fn a_connection_is_cut_before_or_after_the_message_is_created() {
    let world = World::start().await;
    world.sandbox.add_fault(Fault::new(Effect::Cut).times(1));
    assert!(world.try_post("x").await.is_err());
    assert!(world.contents().is_empty());
    world.sandbox.add_fault(Fault::new(Effect::Cut).after().times(1));
    assert!(world.try_post("y").await.is_err());
    assert_eq!(world.contents(), ["y"]);
}

#[tokio::test]
async fn silence_outlasts_the_patience_of_the_sender_and_the_message_is_created_all_the_same() {
    let world = World::start().await;
    world.sandbox.add_fault(Fault::new(Effect::Silence(Duration::from_secs(1))).times(1));
    let path = format!("/channels/{}/messages", world.channel);
    let request = world.request(reqwest::Method::POST, &path).json(&json!({ "content": "late" }));
    let error = request.timeout(Duration::from_millis(50)).send().await.unwrap_err();
    assert!(error.is_timeout());
    assert!(world.contents().is_empty());
    wait_for("the message is created", SOON, || async { (world.contents() == ["late"]).then_some(()) }).await;
    wait_for("nobody waits any more", SOON, || async {
        let start = Instant::now();
        status(&world).await;
        (start.elapsed() < Duration::from_millis(900)).then_some(())
    })
    .await;
    assert_eq!(world.sandbox.stats().in_flight_max[&world.channel], 1);
}

#[tokio::test]
async fn two_posts_in_flight_in_one_channel_are_seen() {
    let world = World::start().await;
    world.sandbox.add_fault(Fault::new(Effect::Silence(Duration::from_millis(200))));
    let (first, second) = tokio::join!(status(&world), status(&world));
    assert_eq!((first, second), (200, 200));
    assert_eq!(world.sandbox.stats().in_flight_max[&world.channel], 2);
}

#[tokio::test]
async fn refusals_concern_one_channel_and_stop_when_cleared() {
    let world = World::start().await;
    let other = world.sandbox.add_channel(world.guild, Channel::text("other"));
    for (effect, expected) in [
        (Effect::UnknownChannel, (404, 10003)),
        (Effect::MissingAccess, (403, 50001)),
        (Effect::MissingPermissions, (403, 50013)),
        (Effect::Unauthorized, (401, 0)),
        (Effect::Refuse(400, 240_000), (400, 240_000)),
    ] {
        world.sandbox.add_fault(Fault::new(effect).on_channel(world.channel));
        let answer = world.post(json!({ "content": "x" })).await;
        assert_eq!((answer.status, answer.code()), expected);
        assert_eq!(world.post_in(other, json!({ "content": "x" })).await.status, 200);
        world.sandbox.clear_faults();
        assert_eq!(status(&world).await, 200);
    }
}

#[tokio::test]
async fn a_burst_of_429_has_its_scope() {
    let world = World::start().await;
    let fault = Effect::RateLimited(Duration::from_millis(1500), Scope::Shared);
    world.sandbox.add_fault(Fault::new(fault).times(1));
    let answer = world.post(json!({ "content": "x" })).await;
    assert_eq!(answer.status, 429);
    assert_eq!(answer.body["retry_after"], 1.5);
    assert_eq!(answer.header("retry-after"), "2");
    assert_eq!(answer.header("x-ratelimit-scope"), "shared");
}

#[tokio::test]
async fn messages_with_a_certain_link_are_refused() {
    let world = World::start().await;
    world.sandbox.add_fault(Fault::new(Effect::RefuseLinks("evil".to_owned())));
    let button = json!([{ "type": 1, "components":
        [{ "type": 2, "style": 5, "label": "x", "url": "https://evil.example" }] }]);
    for body in [
        json!({ "embeds": [{ "title": "x", "url": "https://evil.example/" }] }),
        json!({ "content": "x", "components": button }),
    ] {
        let answer = world.post(body).await;
        assert_eq!((answer.status, answer.code()), (400, 50035));
    }
    let innocent = json!({ "embeds": [{ "title": "evil", "url": "https://good.example/" }] });
    assert_eq!(world.post(innocent).await.status, 200);
}

#[tokio::test]
async fn chance_repeats_itself_with_the_same_seed() {
    let mut runs = Vec::new();
    for _ in 0..2 {
        let world = World::start().await;
        world.sandbox.add_fault(Fault::new(Effect::Status(502)).with_probability(0.5, 7));
        let mut run = Vec::new();
        for _ in 0..20 {
            run.push(status(&world).await);
        }
        runs.push(run);
    }
    assert_eq!(runs[0], runs[1]);
    assert!(runs[0].contains(&502) && runs[0].contains(&200));
}

#[tokio::test]
async fn a_fault_may_concern_another_endpoint() {
    let world = World::start().await;
    world.sandbox.add_fault(Fault::new(Effect::Status(500)).on_endpoint("GET /users/{user_id}"));
    assert_eq!(world.get(&format!("/users/{}", world.olivia)).await.status, 500);
    assert_eq!(status(&world).await, 200);
    let response = world.try_post("x").await.unwrap();
    assert_eq!(read(response).await.status, 200);
}
