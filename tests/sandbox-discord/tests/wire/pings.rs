//! Which roles and users a message pings.

use reqwest::Method;
use sandbox_discord::{Message, Role, permissions};
use serde_json::{Value, json};

use crate::{
    client::World,
    interactions::{help, next_interaction, registered, respond, webhook},
};

/// A role that may be mentioned, and one that may not.
fn roles(world: &World) -> (u64, u64) {
    let (on_call, admins) = (Role::new("on call", 0).mentionable(), Role::new("admins", 0));
    for role in [&on_call, &admins] {
        world.sandbox.set_role(world.guild, role.clone());
    }
    (on_call.id(), admins.id())
}

async fn posted(world: &World, content: &str, allowed: Option<Value>) -> Message {
    let mut body = json!({ "content": content });
    if let Some(allowed) = allowed {
        body["allowed_mentions"] = allowed;
    }
    let answer = world.post(body).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    world.sandbox.messages(world.channel).pop().unwrap()
}

#[tokio::test]
async fn a_role_that_can_be_mentioned_is_pinged_where_the_message_allows_it() {
    let world = World::start().await;
    let (on_call, admins) = roles(&world);
    let content = format!("<@&{on_call}> <@&{admins}> <@&{}> <@&5> @everyone", world.guild);
    let parse = json!({ "parse": ["roles", "everyone"] });
    let listed = |id: u64| json!({ "parse": [], "roles": [id.to_string()] });
    for allowed in [None, Some(parse.clone()), Some(listed(on_call))] {
        let message = posted(&world, &content, allowed.clone()).await;
        assert_eq!(message.pings.roles, [on_call].into(), "{allowed:?}");
        assert!(!message.pings.everyone);
        assert_eq!(message.json["mention_roles"], json!([on_call.to_string()]));
    }
    for allowed in
        [json!({ "parse": [] }), listed(admins), listed(world.guild), json!({ "parse": ["users"] })]
    {
        let message = posted(&world, &content, Some(allowed.clone())).await;
        assert!(message.pings.is_empty(), "{allowed}");
    }
    let elsewhere = posted(&world, "nobody is named", Some(listed(on_call))).await;
    assert!(elsewhere.pings.is_empty(), "the id must be in the content");

    let role = world.sandbox.bot_role(world.guild).unwrap();
    let may = role.with_permissions(permissions::BOT | permissions::MENTION_EVERYONE);
    world.sandbox.set_role(world.guild, may);
    let message = posted(&world, &content, Some(parse)).await;
    assert_eq!(message.pings.roles, [on_call, admins].into());
    assert!(message.pings.everyone);
}

#[tokio::test]
async fn a_list_beside_the_same_word_in_parse_is_refused() {
    let world = World::start().await;
    let (on_call, _) = roles(&world);
    for (name, id) in [("roles", on_call), ("users", world.olivia)] {
        let both = json!({ "parse": [name], name: [id.to_string()] });
        let answer = world.post(json!({ "content": "x", "allowed_mentions": both })).await;
        assert_eq!((answer.status, answer.code()), (400, 50035));
        let code = answer.error_at("/allowed_mentions");
        assert_eq!(code, "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE", "{}", answer.body);
    }
}

#[tokio::test]
async fn an_edit_pings_nobody_and_decides_the_highlight_again() {
    let world = World::start().await;
    let (on_call, _) = roles(&world);
    let (content, nobody) = (format!("<@&{on_call}>"), json!({ "parse": [] }));
    let message = posted(&world, "quiet", None).await;
    let path = format!("/channels/{}/messages/{}", world.channel, message.id);
    let edited = async |body: Value| {
        assert_eq!(world.send(Method::PATCH, &path, &body).await.status, 200);
        let message = world.sandbox.messages(world.channel).pop().unwrap();
        assert!(message.pings.is_empty(), "an edit pings nobody: {body}");
        message.highlights.roles
    };
    assert_eq!(edited(json!({ "content": content })).await, [on_call].into());
    assert_eq!(edited(json!({ "embeds": [{ "title": "t" }] })).await, [on_call].into());
    assert!(edited(json!({ "content": content, "allowed_mentions": nobody })).await.is_empty());

    let loud = posted(&world, &content, None).await;
    let path = format!("/channels/{}/messages/{}", world.channel, loud.id);
    let quiet = json!({ "content": "over", "allowed_mentions": nobody });
    assert_eq!(world.send(Method::PATCH, &path, &quiet).await.status, 200);
    let message = world.sandbox.messages(world.channel).pop().unwrap();
    assert_eq!(message.pings.roles, [on_call].into(), "they were pinged when it was posted");
    assert!(message.highlights.is_empty());
}

#[tokio::test]
async fn an_answer_to_a_command_pings_users_only_unless_it_says_more() {
    for roles_too in [false, true] {
        let world = registered().await;
        let (on_call, _) = roles(&world);
        let (used, event) = next_interaction(&world, || help(&world)).await;
        let mut data = json!({ "content": format!("<@{}> <@&{on_call}>", world.olivia) });
        if roles_too {
            data["allowed_mentions"] = json!({ "parse": ["roles"] });
        }
        assert_eq!(respond(&world, &event, json!({ "type": 4, "data": data })).await.status, 204);
        let pings = used.outcome().messages[0].pings.clone();
        assert_eq!((pings.users.is_empty(), pings.roles.is_empty()), (roles_too, !roles_too));
    }
}

#[tokio::test]
async fn a_deferred_answer_pings_when_it_comes() {
    let world = registered().await;
    let (used, event) = next_interaction(&world, || help(&world)).await;
    assert_eq!(respond(&world, &event, json!({ "type": 5 })).await.status, 204);
    let original = webhook(&world, &event, "/messages/@original");
    let content = json!({ "content": format!("<@{}>", world.olivia) });
    assert_eq!(world.send(Method::PATCH, &original, &content).await.status, 200);
    assert_eq!(used.outcome().messages[0].pings.users, [world.olivia].into());
}
