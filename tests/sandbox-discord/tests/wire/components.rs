//! Buttons are pressed, values are chosen, and the bot answers.

use reqwest::Method;
use sandbox_discord::User;
use serde_json::{Value, json};

use crate::{
    client::{World, http},
    interactions::{help, next_interaction, registered, respond, webhook},
};

fn body(rows: &[Value]) -> Value {
    let rows: Vec<_> = rows.iter().map(|items| json!({ "type": 1, "components": items })).collect();
    json!({ "content": "an alert", "components": rows })
}

/// Posts a message with two buttons and a menu; its id.
async fn posted(world: &World) -> u64 {
    let buttons = json!([
        { "type": 2, "style": 2, "label": "Trace", "custom_id": "trace" },
        { "type": 2, "style": 4, "label": "Off", "custom_id": "off", "disabled": true },
        { "type": 2, "style": 5, "label": "Open", "url": "https://a.b" },
    ]);
    let options = [json!({ "label": "One", "value": "1" }), json!({ "label": "Two", "value": "2" })];
    let menu = json!([{ "type": 3, "custom_id": "menu", "options": options }]);
    let answer = world.post(body(&[buttons, menu])).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body["id"].as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_press_names_the_button_and_shows_its_message() {
    let world = World::start().await;
    let message = posted(&world).await;
    let press = || world.sandbox.press(world.olivia, world.channel, message, "trace").unwrap();
    let (pressed, event) = next_interaction(&world, press).await;
    assert_eq!((&event["type"], &event["data"]["component_type"]), (&json!(3), &json!(2)));
    assert_eq!(event["data"]["custom_id"], "trace");
    assert_eq!(event["message"]["id"], message.to_string());
    assert_eq!(event["message"]["content"], "an alert");
    let hidden = json!({ "type": 4, "data": { "content": "frames", "flags": 64 } });
    assert_eq!(respond(&world, &event, hidden).await.status, 204);
    assert_eq!(pressed.outcome().messages[0].content(), "frames");
    assert_eq!(world.contents(), ["an alert"]);
}

#[tokio::test]
async fn the_pressed_message_is_edited_at_once_or_later() {
    let world = World::start().await;
    let message = posted(&world).await;
    let choose = || world.sandbox.choose(world.olivia, world.channel, message, "menu", &["2"]).unwrap();
    let (_, event) = next_interaction(&world, choose).await;
    assert_eq!(event["data"]["values"], json!(["2"]));
    let edit = json!({ "type": 7, "data": { "content": "two" } });
    assert_eq!(respond(&world, &event, edit).await.status, 204);
    assert_eq!(world.contents(), ["two"]);

    let world = World::start().await;
    let message = posted(&world).await;
    let press = || world.sandbox.press(world.olivia, world.channel, message, "trace").unwrap();
    let (_, event) = next_interaction(&world, press).await;
    assert_eq!(respond(&world, &event, json!({ "type": 6 })).await.status, 204);
    assert_eq!(world.contents(), ["an alert"]);
    let original = webhook(&world, &event, "/messages/@original");
    let edited = world.send(Method::PATCH, &original, &json!({ "content": "later", "components": [] })).await;
    assert_eq!((edited.status, &edited.body["id"]), (200, &json!(message.to_string())));
    assert_eq!(world.contents(), ["later"]);
    assert!(world.sandbox.press(world.olivia, world.channel, message, "trace").is_err(), "no button is left");
}

#[tokio::test]
async fn what_a_person_cannot_press_is_an_error() {
    let world = World::start().await;
    let message = posted(&world).await;
    let stranger = world.sandbox.add_user(User::new("stranger"));
    let said = world.sandbox.say(world.olivia, world.channel, "hi").unwrap();
    for (user, message, custom_id, values) in [
        (stranger, message, "trace", &[][..]),
        (world.olivia, message, "off", &[]),
        (world.olivia, message, "other", &[]),
        (world.olivia, message, "trace", &["1"]),
        (world.olivia, message, "menu", &[]),
        (world.olivia, message, "menu", &["3"]),
        (world.olivia, said, "trace", &[]),
        (world.olivia, 1, "trace", &[]),
    ] {
        let used = world.sandbox.choose(user, world.channel, message, custom_id, values);
        assert!(used.is_err(), "{message} {custom_id} {values:?}");
    }
}

#[tokio::test]
async fn a_button_of_an_answer_is_for_the_one_who_asked() {
    let world = World::start().await;
    let message = posted(&world).await;
    let other = world.sandbox.add_user(User::new("oscar"));
    world.sandbox.set_member(world.guild, other, &[]);
    let press = || world.sandbox.press(world.olivia, world.channel, message, "trace").unwrap();
    let (pressed, event) = next_interaction(&world, press).await;
    let mut data = body(&[json!([{ "type": 2, "style": 3, "label": "Yes", "custom_id": "yes" }])]);
    data["flags"] = 64.into();
    assert_eq!(respond(&world, &event, json!({ "type": 4, "data": data })).await.status, 204);
    let answer = pressed.outcome().messages[0].id;
    assert!(world.sandbox.press(other, world.channel, answer, "yes").is_err());
    assert!(world.sandbox.press(world.olivia, world.channel, answer, "yes").is_ok());
}

fn unmute(content: &str) -> Value {
    let mut data = body(&[json!([{ "type": 2, "style": 2, "label": "Unmute", "custom_id": "unmute" }])]);
    data["content"] = content.into();
    data
}

/// A hidden answer with a button is changed by a press, at once or later.
#[tokio::test]
async fn the_button_of_a_hidden_answer_changes_that_answer() {
    for (deferred, later) in [(false, false), (false, true), (true, false), (true, true)] {
        let world = registered().await;
        let (used, event) = next_interaction(&world, || help(&world)).await;
        let mut data = unmute("Mute 1");
        if deferred {
            assert_eq!(
                respond(&world, &event, json!({ "type": 5, "data": { "flags": 64 } })).await.status,
                204
            );
            let original = webhook(&world, &event, "/messages/@original");
            assert_eq!(world.send(Method::PATCH, &original, &data).await.status, 200);
        } else {
            data["flags"] = 64.into();
            assert_eq!(respond(&world, &event, json!({ "type": 4, "data": data })).await.status, 204);
        }
        let answer = used.outcome().messages[0].id;
        let press = || world.sandbox.press(world.olivia, world.channel, answer, "unmute").unwrap();
        let (_, event) = next_interaction(&world, press).await;
        assert_eq!(
            (&event["message"]["id"], &event["message"]["flags"]),
            (&json!(answer.to_string()), &json!(64))
        );
        let over = json!({ "content": "Mute 1 has ended", "components": [] });
        if later {
            assert_eq!(respond(&world, &event, json!({ "type": 6 })).await.status, 204);
            let original = webhook(&world, &event, "/messages/@original");
            assert_eq!(world.send(Method::PATCH, &original, &over).await.status, 200);
        } else {
            assert_eq!(respond(&world, &event, json!({ "type": 7, "data": over })).await.status, 204);
        }
        let [message] = &used.outcome().messages[..] else { panic!("one answer") };
        assert_eq!((message.id, message.content()), (answer, "Mute 1 has ended"));
        assert!(message.edited && world.contents().is_empty(), "nobody else sees it");
        assert!(
            world.sandbox.press(world.olivia, world.channel, answer, "unmute").is_err(),
            "no button is left"
        );
    }
}

#[tokio::test]
async fn a_button_is_pressed_by_request() {
    let world = World::start().await;
    let message = posted(&world).await.to_string();
    let (user, channel) = (world.olivia.to_string(), world.channel.to_string());
    let url = format!("{}/sandbox/press", world.sandbox.url());
    let request = |id: &str| json!({ "user": user, "channel": channel, "message": message, "custom_id": id, "values": [] });
    let refused = http().post(&url).json(&request("none")).send().await.unwrap();
    let answer: Value = refused.json().await.unwrap();
    assert_eq!(answer, json!({ "error": "the message has no such component" }));
}
