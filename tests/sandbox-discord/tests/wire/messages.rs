//! What happens to an accepted message.

use reqwest::Method;
use serde_json::{Value, json};

use crate::client::World;

#[tokio::test]
async fn a_message_is_shown_as_discord_keeps_it() {
    let world = World::start().await;
    let body = json!({ "content": " hi ", "embeds": [{ "title": " t ", "color": 255 }], "nonce": "n" });
    let answer = world.post(body.clone()).await;
    assert_eq!(answer.body["nonce"], "n");
    let messages = world.sandbox.messages(world.channel);
    let [message] = messages.as_slice() else { panic!("one message was posted") };
    assert_eq!(message.content(), "hi");
    assert_eq!(message.embeds()[0], json!({ "title": "t", "color": 255, "type": "rich" }));
    assert_eq!(message.received, body);
    assert!(!message.edited);
}

#[tokio::test]
async fn messages_are_edited_read_and_deleted() {
    let world = World::start().await;
    let id = world.post(json!({ "content": "first", "embeds": [{ "title": "t" }] })).await.body["id"].clone();
    let path = format!("/channels/{}/messages/{}", world.channel, id.as_str().unwrap());
    let edited = world.send(Method::PATCH, &path, &json!({ "content": "second" })).await;
    assert_eq!((edited.status, &edited.body["content"]), (200, &json!("second")));
    assert_eq!(edited.body["embeds"][0]["title"], "t");
    assert!(edited.body["edited_timestamp"].is_string());
    assert!(world.sandbox.messages(world.channel)[0].edited);
    assert_eq!(world.get(&path).await.body["content"], "second");
    let empty = world.send(Method::PATCH, &path, &json!({ "content": "", "embeds": [] })).await;
    assert_eq!(empty.code(), 50006);
    assert_eq!(world.send(Method::DELETE, &path, &Value::Null).await.status, 204);
    assert_eq!(world.get(&path).await.code(), 10008);
}

#[tokio::test]
async fn messages_are_listed_newest_first() {
    let world = World::start().await;
    for number in 0..5 {
        world.post(json!({ "content": number.to_string() })).await;
    }
    let listed = world.get(&format!("/channels/{}/messages?limit=3", world.channel)).await;
    let contents: Vec<_> =
        listed.body.as_array().unwrap().iter().map(|message| &message["content"]).collect();
    assert_eq!(contents, ["4", "3", "2"]);
    let too_many = world.get(&format!("/channels/{}/messages?limit=101", world.channel)).await;
    assert_eq!((too_many.status, too_many.code()), (400, 50035));
}

#[tokio::test]
async fn who_is_pinged_follows_content_and_allowed_mentions() {
    let world = World::start().await;
    let olivia = world.olivia;
    let content = format!("<@{olivia}> <@!{olivia}> <@12345> @everyone");
    let pinged = async |allowed: Option<Value>| {
        let mut body = json!({ "content": content });
        if let Some(allowed) = allowed {
            body["allowed_mentions"] = allowed;
        }
        assert_eq!(world.post(body).await.status, 200);
        world.sandbox.messages(world.channel).last().unwrap().pings.users.iter().copied().collect::<Vec<_>>()
    };
    assert_eq!(pinged(None).await, [olivia]);
    assert!(pinged(Some(json!({ "parse": [] }))).await.is_empty());
    assert_eq!(pinged(Some(json!({ "parse": ["users"] }))).await, [olivia]);
    assert_eq!(pinged(Some(json!({ "users": [olivia.to_string()] }))).await, [olivia]);
    assert!(pinged(Some(json!({ "users": ["12345"] }))).await.is_empty());
}

#[tokio::test]
async fn a_reply_pings_its_author_unless_it_is_told_not_to() {
    let world = World::start().await;
    let question = world.sandbox.say(world.olivia, world.channel, "?").unwrap();
    let reference = json!({ "message_id": question.to_string() });
    world.post(json!({ "content": "!", "message_reference": reference })).await;
    let quiet = json!({ "parse": [] });
    let answer = world
        .post(json!({ "content": "!", "message_reference": reference, "allowed_mentions": quiet }))
        .await;
    assert_eq!(answer.body["referenced_message"]["content"], "?");
    let messages = world.sandbox.messages(world.channel);
    assert!(messages[1].pings.users.contains(&world.olivia));
    assert!(messages[2].pings.is_empty());
    let nowhere = json!({ "message_id": "1" });
    let unknown = world.post(json!({ "content": "!", "message_reference": nowhere })).await;
    assert_eq!(unknown.error_at("/message_reference"), "REPLIES_UNKNOWN_MESSAGE");
}
