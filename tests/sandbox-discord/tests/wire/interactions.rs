//! Commands are registered, used and answered.

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use reqwest::Method;
use sandbox_discord::{Config, Invocation, User};
use serde_json::{Value, json};
use tokio_tungstenite::{connect_async, tungstenite::Message};

use crate::client::{Answer, World, unlimited};

fn sentry() -> Value {
    let channel = json!({ "name": "channel", "description": "which", "type": 7, "required": true });
    let slug =
        json!({ "name": "slug", "description": "which", "type": 3, "max_length": 10, "autocomplete": true });
    json!([{ "name": "sentry", "description": "Sentry", "options": [
        { "name": "channel", "description": "c", "type": 2, "options": [
            { "name": "authorize", "description": "a", "type": 1, "options": [channel] },
        ] },
        { "name": "project", "description": "p", "type": 1, "options": [slug] },
        { "name": "h", "description": "help", "type": 1 },
    ] }])
}

pub(crate) fn commands(world: &World) -> String {
    format!("/applications/{}/commands", world.sandbox.bot())
}

/// Tests identify once for each event that they wait for.
pub(crate) async fn registered() -> World {
    let config = Config::default().clocks(unlimited);
    registered_with(config.clocks(|clocks| clocks.identify_window = Duration::ZERO)).await
}

async fn registered_with(config: Config) -> World {
    let world = World::with(config).await;
    let answer = world.send(Method::PUT, &commands(&world), &sentry()).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    world
}

pub(crate) fn help(world: &World) -> Invocation {
    world.sandbox.slash(world.olivia, world.channel, "sentry h", &[]).unwrap()
}

/// Only the event has the token, so these tests listen to the gateway.
pub(crate) async fn next_interaction(world: &World, act: impl Fn() -> Invocation) -> (Invocation, Value) {
    let url = format!("{}/?v=10", world.sandbox.url().replace("http", "ws"));
    let (mut socket, _) = connect_async(url).await.unwrap();
    let properties = json!({ "os": "linux", "browser": "test", "device": "test" });
    let data = json!({ "token": "sandbox-token", "intents": 0, "properties": properties });
    socket.send(Message::Text(json!({ "op": 2, "d": data }).to_string())).await.unwrap();
    let mut invocation = None;
    while let Some(Ok(Message::Text(text))) = socket.next().await {
        let payload: Value = serde_json::from_str(&text).unwrap();
        if payload["t"] == "READY" {
            invocation = Some(act());
        }
        if payload["t"] == "INTERACTION_CREATE" {
            return (invocation.unwrap(), payload["d"].clone());
        }
    }
    panic!("the gateway ended");
}

pub(crate) async fn respond(world: &World, event: &Value, body: Value) -> Answer {
    let (id, token) = (event["id"].as_str().unwrap(), event["token"].as_str().unwrap());
    world.send(Method::POST, &format!("/interactions/{id}/{token}/callback"), &body).await
}

pub(crate) fn webhook(world: &World, event: &Value, rest: &str) -> String {
    format!("/webhooks/{}/{}{rest}", world.sandbox.bot(), event["token"].as_str().unwrap())
}

#[tokio::test]
async fn a_command_arrives_with_its_options_resolved() {
    let world = registered().await;
    let channel = world.channel.to_string();
    let use_it = || {
        let options = [("channel", channel.as_str())];
        world.sandbox.slash(world.olivia, world.channel, "sentry channel authorize", &options).unwrap()
    };
    let (_, event) = next_interaction(&world, use_it).await;
    assert_eq!(event["type"], 2);
    let option = &event["data"]["options"][0]["options"][0]["options"][0];
    assert_eq!(option, &json!({ "name": "channel", "type": 7, "value": channel }));
    assert_eq!(event["data"]["resolved"]["channels"][&channel]["name"], "general");
    assert_eq!(event["member"]["user"]["username"], "olivia");
    assert!(event["member"]["permissions"].is_string());
}

#[tokio::test]
async fn an_ephemeral_answer_is_seen_by_the_user_alone() {
    let world = registered().await;
    let (invocation, event) = next_interaction(&world, || help(&world)).await;
    let answer =
        respond(&world, &event, json!({ "type": 4, "data": { "content": "hi", "flags": 64 } })).await;
    assert_eq!(answer.status, 204);
    let first = invocation.answer().await.unwrap();
    assert_eq!((first.kind, &first.data["flags"]), (4, &json!(64)));
    let message = invocation.message(Duration::from_secs(5)).await.unwrap();
    assert_eq!(message.content(), "hi");
    assert!(world.sandbox.messages(world.channel).is_empty());
    let again = respond(&world, &event, json!({ "type": 4, "data": { "content": "hi" } })).await;
    assert_eq!((again.status, again.code()), (400, 40060));
}

#[tokio::test]
async fn a_deferred_answer_comes_with_an_edit_and_is_followed_up() {
    let world = registered().await;
    let (invocation, event) = next_interaction(&world, || help(&world)).await;
    let early = world.send(Method::POST, &webhook(&world, &event, ""), &json!({ "content": "x" })).await;
    assert_eq!((early.status, early.code()), (404, 10015));
    assert_eq!(respond(&world, &event, json!({ "type": 5 })).await.status, 204);
    assert!(invocation.outcome().messages.is_empty());
    let original = webhook(&world, &event, "/messages/@original");
    let edited = world.send(Method::PATCH, &original, &json!({ "content": "later" })).await;
    assert_eq!(edited.status, 200);
    let followed =
        world.send(Method::POST, &webhook(&world, &event, ""), &json!({ "content": "more" })).await;
    assert_eq!(followed.status, 200);
    let shown: Vec<_> =
        invocation.outcome().messages.iter().map(|message| message.content().to_owned()).collect();
    assert_eq!(shown, ["later", "more"]);
    assert_eq!(world.contents(), ["later", "more"]);
}

#[tokio::test]
async fn an_answer_after_the_deadline_is_unknown() {
    let config =
        Config::default().clocks(unlimited).clocks(|clocks| clocks.interaction_deadline = Duration::ZERO);
    let world = registered_with(config).await;
    let (invocation, event) = next_interaction(&world, || help(&world)).await;
    let late = respond(&world, &event, json!({ "type": 4, "data": { "content": "x" } })).await;
    assert_eq!((late.status, late.code()), (404, 10062));
    assert!(invocation.answer().await.is_none());
}

#[tokio::test]
async fn answers_keep_the_limits_of_messages() {
    let world = registered().await;
    let (_, event) = next_interaction(&world, || help(&world)).await;
    let long = json!({ "type": 4, "data": { "content": "x".repeat(2001) } });
    assert_eq!(respond(&world, &event, long).await.code(), 50035);
    let empty = json!({ "type": 4, "data": {} });
    assert_eq!(respond(&world, &event, empty).await.code(), 50006);
    let unknown = json!({ "type": 99 });
    assert_eq!(respond(&world, &event, unknown).await.code(), 50035);
}

#[tokio::test]
async fn a_modal_is_shown_and_submitted() {
    let world = registered().await;
    let (shown, event) = next_interaction(&world, || help(&world)).await;
    let input = json!({ "type": 4, "custom_id": "secret", "style": 1, "label": "Client secret" });
    let row = json!({ "type": 1, "components": [input] });
    let modal =
        |title: &str| json!({ "type": 9, "data": { "custom_id": "m", "title": title, "components": [row] } });
    assert_eq!(respond(&world, &event, modal(&"x".repeat(46))).await.code(), 50035);
    assert_eq!(respond(&world, &event, modal("Secret")).await.status, 204);
    assert_eq!(shown.answer().await.unwrap().kind, 9);
    assert!(world.sandbox.submit_modal(&shown, &[("other", "x")]).is_err());
    let submit = || world.sandbox.submit_modal(&shown, &[("secret", "s3cret")]).unwrap();
    let (_, event) = next_interaction(&world, submit).await;
    assert_eq!(event["type"], 5);
    assert_eq!(event["data"]["components"][0]["components"][0]["value"], "s3cret");
    assert_eq!(respond(&world, &event, modal("Again")).await.code(), 50035);
}

#[tokio::test]
async fn a_modals_input_may_stand_in_a_label() {
    let world = registered().await;
    let (shown, event) = next_interaction(&world, || help(&world)).await;
    let modal = |label: &str| {
        let input = json!({ "type": 4, "custom_id": "secret", "style": 1 });
        let label = json!({ "type": 18, "label": label, "description": "why", "component": input });
        json!({ "type": 9, "data": { "custom_id": "m", "title": "Secret", "components": [label] } })
    };
    let refused = respond(&world, &event, modal("")).await;
    assert_eq!(refused.error_at("/components/0/label"), "BASE_TYPE_REQUIRED", "{}", refused.body);
    assert_eq!(respond(&world, &event, modal("Client secret")).await.status, 204);
    let submit = || world.sandbox.submit_modal(&shown, &[("secret", "s3cret")]).unwrap();
    let (_, event) = next_interaction(&world, submit).await;
    let label = &event["data"]["components"][0];
    assert_eq!((&label["type"], &label["component"]["value"]), (&json!(18), &json!("s3cret")));
}

#[tokio::test]
async fn an_option_is_completed() {
    let world = registered().await;
    let typing = || {
        let options = [("slug", "fro")];
        world.sandbox.autocomplete(world.olivia, world.channel, "sentry project", &options, "slug").unwrap()
    };
    let (invocation, event) = next_interaction(&world, typing).await;
    assert_eq!(
        (&event["type"], &event["data"]["options"][0]["options"][0]["focused"]),
        (&json!(4), &json!(true))
    );
    let choices = json!({ "choices": [{ "name": "frontend", "value": "frontend" }] });
    assert_eq!(respond(&world, &event, json!({ "type": 4, "data": { "content": "x" } })).await.code(), 50035);
    assert_eq!(respond(&world, &event, json!({ "type": 8, "data": choices })).await.status, 204);
    assert_eq!(invocation.answer().await.unwrap().data, choices);
}

#[tokio::test]
async fn what_the_client_would_not_let_through_is_an_error() {
    let world = registered().await;
    let stranger = world.sandbox.add_user(User::new("stranger"));
    let attempt = |user, command: &str, options: &[(&str, &str)]| {
        world.sandbox.slash(user, world.channel, command, options).err().map(|error| error.to_string())
    };
    assert!(attempt(world.olivia, "sentry h", &[]).is_none());
    for (user, command, options) in [
        (world.olivia, "other", &[][..]),
        (world.olivia, "sentry", &[]),
        (world.olivia, "sentry nothing", &[]),
        (world.olivia, "sentry channel authorize", &[]),
        (world.olivia, "sentry channel authorize", &[("channel", "5")]),
        (world.olivia, "sentry project", &[("slug", "longer than ten")]),
        (world.olivia, "sentry h", &[("slug", "x")]),
        (stranger, "sentry h", &[]),
    ] {
        assert!(attempt(user, command, options).is_some(), "{command} {options:?}");
    }
}

#[tokio::test]
async fn commands_that_discord_would_not_take_are_refused() {
    let world = World::start().await;
    let option = |name: &str, required: bool| json!({ "name": name, "description": "d", "type": 3, "required": required });
    let with = |options: Value| json!({ "name": "c", "description": "d", "options": options });
    for command in [
        json!({ "name": "Upper", "description": "d" }),
        json!({ "name": "with space", "description": "d" }),
        json!({ "name": "x".repeat(33), "description": "d" }),
        json!({ "name": "c" }),
        json!({ "name": "c", "description": "x".repeat(101) }),
        with(json!([option("a", false), option("b", true)])),
        with(json!([option("a", false), option("a", false)])),
        with((0..26).map(|number| option(&format!("o{number}"), false)).collect()),
        with(json!([option("a", false), { "name": "s", "description": "d", "type": 1 }])),
    ] {
        let answer = world.send(Method::POST, &commands(&world), &command).await;
        assert_eq!((answer.status, answer.code()), (400, 50035), "{command}");
    }
    let many: Value =
        (0..101).map(|number| json!({ "name": format!("c{number}"), "description": "d" })).collect();
    assert_eq!(world.send(Method::PUT, &commands(&world), &many).await.code(), 50035);
}

#[tokio::test]
async fn commands_are_created_changed_and_removed() {
    let world = registered().await;
    let path = commands(&world);
    let help = json!({ "name": "help", "description": "Helps" });
    let created = world.send(Method::POST, &path, &help).await;
    assert_eq!(created.status, 201);
    let again = world.send(Method::POST, &path, &help).await;
    assert_eq!((again.status, &again.body["id"]), (200, &created.body["id"]));
    let one = format!("{path}/{}", created.body["id"].as_str().unwrap());
    let edited = world.send(Method::PATCH, &one, &json!({ "description": "Helps more" })).await;
    assert_eq!(edited.body["description"], "Helps more");
    assert_eq!(world.get(&path).await.body.as_array().unwrap().len(), 2);
    assert_eq!(world.send(Method::DELETE, &one, &Value::Null).await.status, 204);
    assert_eq!(world.get(&one).await.code(), 10063);
}
