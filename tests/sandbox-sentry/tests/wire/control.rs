//! The control API.

use harness::wait::{SOON, wait_for};
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{Answer, World, http, read};

async fn ask(world: &World, method: Method, path: &str, body: Value) -> Answer {
    let request = http().request(method, format!("{}/sandbox/{path}", world.sandbox.url()));
    read(request.json(&body).send().await.unwrap()).await
}

async fn state(world: &World) -> Value {
    ask(world, Method::GET, "state", Value::Null).await.body
}

#[tokio::test]
async fn the_state_shows_each_request_and_each_issue_with_its_feed() {
    let world = World::start();
    world.put(json!({ "status": "resolved" })).await;
    world.put(json!({ "status": "resolved" })).await;
    let state = state(&world).await;
    let issue = &state["issues"][0];
    assert_eq!((&issue["status"], issue["activities"].as_array().unwrap().len()), (&json!("resolved"), 2));
    let request = &state["requests"][0];
    assert_eq!((&request["method"], &request["status"]), (&json!("PUT"), &json!(200)));
    assert_eq!(request["authorization"], format!("Bearer {}", world.token));
    assert_eq!(request["body"], json!({ "status": "resolved" }));
    assert_eq!(state["organizations"][0]["slug"], "acme");
    assert_eq!(world.sandbox.requests()[0].path, format!("/api/0{}", world.path("")));
}

#[tokio::test]
async fn an_issue_arises_is_changed_and_removed() {
    let world = World::start();
    let raised = ask(&world, Method::POST, "issues", json!({ "project": "backend-api", "title": "x" })).await;
    let path = format!("issues/{}", raised.body["id"].as_str().unwrap());
    assert!(raised.body["permalink"].as_str().unwrap().starts_with(&world.sandbox.url()));
    wait_for("the webhook", SOON, || async { world.sandbox.deliveries().pop() }).await;
    assert_eq!(world.sandbox.deliveries()[0].kind, "issue.created");
    let event = world.get(&format!("/organizations/acme/{path}/events/latest/")).await;
    assert_eq!(event.body["entries"][0]["type"], "exception");
    let change = json!({ "actor": { "user": world.olivia }, "form": { "status": "ignored" } });
    assert_eq!(ask(&world, Method::POST, &path, change.clone()).await.status, 204);
    assert_eq!(state(&world).await["issues"][1]["substatus"], "archived_forever");
    assert_eq!(ask(&world, Method::DELETE, &path, Value::Null).await.status, 204);
    assert_eq!(world.get(&format!("/organizations/acme/{path}/")).await.status, 404);
    for (path, body) in [
        ("issues/1", change),
        ("issues", json!({ "project": "unknown", "title": "x" })),
        ("issues", json!({})),
        (&path, json!({ "actor": "sentry", "form": { "status": "x" } })),
    ] {
        let refused = ask(&world, Method::POST, path, body).await;
        assert_eq!((refused.status, refused.body["error"].is_string()), (400, true), "{path}");
    }
}

#[tokio::test]
async fn faults_are_set_and_cleared() {
    let world = World::start();
    for (effect, status) in [
        (json!({ "status": 502 }), 502),
        (json!({ "too_many_ms": 1500 }), 429),
        (json!({ "slow_ms": 1 }), 200),
        (json!({ "huge": 1000 }), 200),
        (json!("no_groups"), 204),
        (json!({ "answer": { "status": 302, "headers": { "Location": "http://127.0.0.1:9" } } }), 302),
    ] {
        let fault = json!({ "effect": effect, "times": 1, "after": false });
        assert_eq!(ask(&world, Method::POST, "faults", fault).await.status, 204);
        assert_eq!(world.put(json!({})).await.status, status, "{effect}");
    }
    ask(&world, Method::POST, "faults", json!({ "effect": { "status": 500 } })).await;
    ask(&world, Method::DELETE, "faults", Value::Null).await;
    assert_eq!(world.put(json!({})).await.status, 200);
}

#[tokio::test]
async fn webhooks_are_held_and_released_in_another_order() {
    let world = World::start();
    ask(&world, Method::POST, "webhooks", json!({ "hold": true })).await;
    world.put(json!({ "status": "resolved" })).await;
    world.put(json!({ "status": "unresolved" })).await;
    assert_eq!(state(&world).await["held"], json!(["issue.resolved", "issue.unresolved"]));
    ask(&world, Method::POST, "webhooks", json!({ "hold": false, "order": [1, 0] })).await;
    let sent = wait_for("both", SOON, || async {
        let sent = world.sandbox.deliveries();
        (sent.len() == 2).then_some(sent)
    })
    .await;
    assert_eq!((sent[0].kind.as_str(), sent[1].kind.as_str()), ("issue.unresolved", "issue.resolved"));
}

#[tokio::test]
async fn no_page_of_a_browser_steers_it() {
    let world = World::start();
    let url = format!("{}/sandbox/faults", world.sandbox.url());
    let request = http().post(url).header("origin", "https://evil.example");
    let answer = request.json(&json!({ "effect": "cut" })).send().await.unwrap();
    assert_eq!(answer.status(), 404);
    assert_eq!(world.get(&world.path("")).await.status, 200);
}
