//! The control API and the page.

use serde_json::{Value, json};

use crate::client::{World, http};

async fn post(world: &World, path: &str, body: Value) -> (u16, Value) {
    let url = format!("{}/sandbox/{path}", world.sandbox.url());
    let response = http().post(url).json(&body).send().await.unwrap();
    let status = response.status().as_u16();
    (status, response.json().await.unwrap_or_default())
}

async fn get(world: &World, path: &str) -> Value {
    http().get(format!("{}{path}", world.sandbox.url())).send().await.unwrap().json().await.unwrap()
}

#[tokio::test]
async fn a_user_speaks_and_the_messages_are_told() {
    let world = World::start().await;
    let (user, channel) = (world.olivia.to_string(), world.channel.to_string());
    let said = post(&world, "say", json!({ "user": user, "channel": channel, "content": "hi" })).await;
    assert_eq!(said.0, 200);
    let messages = get(&world, &format!("/sandbox/channels/{channel}/messages")).await;
    assert_eq!(messages[0]["json"]["content"], "hi");
    assert_eq!(messages[0]["id"], said.1["id"]);
    let refused = post(&world, "say", json!({ "user": "1", "channel": channel, "content": "hi" })).await;
    assert_eq!(refused, (400, json!({ "error": "nobody has the id 1" })));
}

#[tokio::test]
async fn the_state_names_guilds_channels_and_users() {
    let world = World::start().await;
    let state = get(&world, "/sandbox/state").await;
    assert_eq!(state["guilds"][0]["channels"][0]["name"], "general");
    assert_eq!(state["guilds"][0]["owner"], world.olivia.to_string());
    assert_eq!(state["bot"]["id"], world.sandbox.bot().to_string());
}

#[tokio::test]
async fn faults_are_set_by_request() {
    let world = World::start().await;
    let channel = world.channel.to_string();
    for (effect, status) in [
        (json!({ "status": 503 }), 503),
        (json!("missing_access"), 403),
        (json!({ "edge": { "status": 404, "body": "no such page" } }), 404),
        (json!({ "rate_limited": { "retry_after_ms": 100, "scope": "global" } }), 429),
    ] {
        let set = post(&world, "faults", json!({ "effect": effect, "channel": channel, "times": 1 })).await;
        assert_eq!(set.0, 204);
        assert_eq!(world.post(json!({ "content": "x" })).await.status, status);
        assert_eq!(world.post(json!({ "content": "x" })).await.status, 200);
    }
}

#[tokio::test]
async fn a_command_that_is_not_registered_is_refused_in_words() {
    let world = World::start().await;
    let (user, channel) = (world.olivia.to_string(), world.channel.to_string());
    let used =
        post(&world, "interact", json!({ "user": user, "channel": channel, "command": "sentry h" })).await;
    assert_eq!(used, (400, json!({ "error": "no command /sentry is registered" })));
}

#[tokio::test]
async fn the_page_loads_nothing_from_elsewhere() {
    let world = World::start().await;
    for path in ["/", "/sandbox/page/page.css", "/sandbox/page/main.js", "/sandbox/page/markdown.js"] {
        let response = http().get(format!("{}{path}", world.sandbox.url())).send().await.unwrap();
        assert_eq!(response.status(), 200);
        let policy = response.headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert!(policy.starts_with("default-src 'none'"));
        let text = response.text().await.unwrap();
        assert!(!text.contains("innerHTML") && !text.contains("src=\"http"));
    }
}

#[tokio::test]
async fn a_page_of_another_site_steers_nothing() {
    let world = World::start().await;
    let own = world.sandbox.url();
    let port = own.rsplit(':').next().unwrap();
    for (origin, status) in [
        (own.clone(), 204),
        ("https://elsewhere.example".to_owned(), 400),
        ("null".to_owned(), 400),
        (format!("http://127.0.0.2:{port}"), 400),
    ] {
        let cleared = http().delete(format!("{own}/sandbox/faults")).header("origin", &origin).send().await;
        assert_eq!(cleared.unwrap().status(), status, "{origin}");
    }
    let rebound = http().delete(format!("{own}/sandbox/faults"));
    let rebound = rebound.header("host", "elsewhere.example").header("origin", "http://elsewhere.example");
    assert_eq!(rebound.send().await.unwrap().status(), 400, "a name that was made to lead here");
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_in_words() {
    let world = World::start().await;
    let form = http().post(format!("{}/sandbox/say", world.sandbox.url())).form(&[("user", "1")]);
    let answer = form.send().await.unwrap();
    assert_eq!(answer.status(), 400);
    let error = answer.json::<Value>().await.unwrap()["error"].as_str().unwrap().to_owned();
    assert!(error.to_lowercase().contains("content type"), "{error}");
    let unknown = post(&world, "nothing", json!({})).await;
    assert_eq!(unknown, (404, json!({ "error": "there is no POST /sandbox/nothing in the control API" })));
}
