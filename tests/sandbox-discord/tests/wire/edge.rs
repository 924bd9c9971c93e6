//! Answers from in front of the API.

use sandbox_discord::{EdgeAnswer, Effect, Fault};
use serde_json::{Value, json};

use crate::client::{Answer, World};

async fn post(world: &World) -> Answer {
    world.post(json!({ "content": "x" })).await
}

#[tokio::test]
async fn the_edge_answers_with_any_status_body_and_content_type() {
    let world = World::start().await;
    let incident = json!({ "message": "internal network error", "code": 40333 });
    for (answer, status, kind, body) in [
        (EdgeAnswer::refusal(403, 40333, "internal network error"), 403, "application/json", incident),
        (EdgeAnswer::json(400, &json!({ "oops": 1 })), 400, "application/json", json!({ "oops": 1 })),
        (EdgeAnswer::text(403, "error code: 1020"), 403, "text/plain", "error code: 1020".into()),
        (EdgeAnswer::html(502, "<h1>Bad Gateway</h1>"), 502, "text/html", "<h1>Bad Gateway</h1>".into()),
        (EdgeAnswer::new(404, ""), 404, "", Value::Null),
    ] {
        world.sandbox.add_fault(Fault::new(Effect::Edge(answer)).times(1));
        let seen = post(&world).await;
        assert_eq!(seen.status, status);
        assert!(seen.header("content-type").starts_with(kind), "{seen:?}");
        assert_eq!(seen.body, body);
    }
    assert!(world.contents().is_empty());
    assert_eq!(post(&world).await.status, 200);
}

#[tokio::test]
async fn what_the_edge_answers_has_its_own_headers_and_takes_nothing_from_a_bucket() {
    let world = World::with(Default::default()).await;
    let answer = EdgeAnswer::text(403, "error code: 1020").header("cf-ray", "1-FRA");
    world.sandbox.add_fault(Fault::new(Effect::Edge(answer)).times(2));
    for _ in 0..2 {
        let refused = post(&world).await;
        assert_eq!((refused.header("cf-ray"), refused.header("x-ratelimit-bucket")), ("1-FRA", ""));
    }
    assert_eq!(post(&world).await.header("x-ratelimit-remaining"), "4");
    assert_eq!(world.sandbox.stats().answers("POST /channels/{channel_id}/messages", Some(403)), 2);
}

#[tokio::test]
async fn the_edge_can_break_off_the_answer_to_what_was_done() {
    let world = World::start().await;
    let answer = EdgeAnswer::html(502, "<h1>Bad Gateway</h1>");
    world.sandbox.add_fault(Fault::new(Effect::Edge(answer)).after().times(1));
    assert_eq!(post(&world).await.status, 502);
    assert_eq!(world.contents(), ["x"]);
}

#[tokio::test]
async fn the_edge_can_refuse_everything_but_one_endpoint() {
    let world = World::start().await;
    let unauthorized = EdgeAnswer::refusal(401, 0, "401: Unauthorized");
    world.sandbox.add_fault(Fault::new(Effect::Edge(unauthorized)).everywhere().except("GET /users/@me"));
    assert_eq!(post(&world).await.status, 401);
    assert_eq!(world.get("/gateway/bot").await.status, 401);
    assert_eq!(world.get("/users/@me").await.status, 200);
    world.sandbox.clear_faults();
    assert_eq!(post(&world).await.status, 200);
}
