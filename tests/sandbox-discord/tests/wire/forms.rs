//! Messages that are empty, and values of a wrong type.

use serde_json::{Value, json};

use crate::{
    client::World,
    limits::{REQUIRED, embed, field, limit},
};

#[tokio::test]
async fn an_empty_message_is_refused_with_50006() {
    let world = World::start().await;
    for body in [
        json!({}),
        json!({ "content": "  \n" }),
        json!({ "content": null, "embeds": [] }),
        json!({ "embeds": [{}] }),
        json!({ "embeds": [{ "color": 1 }] }),
    ] {
        let answer = world.post(body).await;
        assert_eq!((answer.status, answer.code()), (400, 50006), "{}", answer.body);
    }
}

#[tokio::test]
async fn null_is_refused_where_the_documentation_has_none() {
    let picture = |height: Value| json!({ "url": "https://a.b/c.png", "height": height });
    let row =
        |button: Value| json!({ "content": "x", "components": [{ "type": 1, "components": [button] }] });
    let button = |emoji: Value, disabled: Value| json!({ "type": 2, "style": 1, "custom_id": "c", "label": "x", "emoji": emoji, "disabled": disabled });
    let emoji = json!({ "id": null, "name": "x" });
    for (path, fits, null) in [
        (
            "/embeds/0/thumbnail/height",
            embed(json!({ "title": "x", "thumbnail": picture(1.into()) })),
            embed(json!({ "title": "x", "thumbnail": picture(Value::Null) })),
        ),
        (
            "/embeds/0/image/height",
            embed(json!({ "title": "x", "image": picture(1.into()) })),
            embed(json!({ "title": "x", "image": picture(Value::Null) })),
        ),
        ("/embeds/0/footer", field("n", "v"), embed(json!({ "title": "x", "footer": null }))),
        (
            "/embeds/0/fields/0/inline",
            field("n", "v"),
            embed(json!({ "fields": [{ "name": "n", "value": "v", "inline": null }] })),
        ),
        (
            "/components/0/components/0/disabled",
            row(button(emoji.clone(), false.into())),
            row(button(emoji, Value::Null)),
        ),
        (
            "/allowed_mentions/users",
            json!({ "content": "x", "allowed_mentions": { "users": [] } }),
            json!({ "content": "x", "allowed_mentions": { "users": null } }),
        ),
    ] {
        limit(path, REQUIRED, fits, null).await;
    }
}

#[tokio::test]
async fn wrong_types_are_refused() {
    for (path, code, body) in [
        ("/content", "STRING_TYPE_CONVERT", json!({ "content": ["x"] })),
        ("/embeds", "LIST_TYPE_CONVERT", json!({ "embeds": {} })),
        ("/embeds/0", "DICT_TYPE_CONVERT", json!({ "embeds": ["x"] })),
        ("/tts", "BOOLEAN_TYPE_CONVERT", json!({ "content": "x", "tts": "yes" })),
    ] {
        limit(path, code, json!({ "content": "x" }), body).await;
    }
}
