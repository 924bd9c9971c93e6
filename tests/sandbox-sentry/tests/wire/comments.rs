//! Comments.

use reqwest::Method;
use sandbox_sentry::Actor;
use serde_json::json;

use crate::client::{World, read};

#[tokio::test]
async fn a_comment_is_an_entry_and_the_same_text_again_is_refused() {
    let world = World::start();
    let answer = world.comment(" Archived by Ada (Discord) ").await;
    assert_eq!((answer.status, &answer.body["type"]), (201, &json!("note")));
    assert_eq!(answer.body["data"], json!({ "text": "Archived by Ada (Discord)" }));
    assert_eq!(answer.body["user"]["name"], "Discord");
    let again = world.comment("Archived by Ada (Discord)").await;
    assert_eq!((again.status, again.detail()), (400, "You have already posted that comment."));
    assert_eq!(world.comment("Reopened by Ada (Discord)").await.status, 201);
    assert_eq!(world.kinds(), ["note", "note"]);
    assert_eq!(world.sandbox.activities(world.issue)[0].actor, Actor::Integration);
    assert_eq!(world.get(&world.path("")).await.body["numComments"], 2);
}

#[tokio::test]
async fn comments_have_a_second_path_and_are_listed_latest_first() {
    let world = World::start();
    let request = world.request(&world.token, Method::POST, &world.path("notes/"));
    assert_eq!(read(request.json(&json!({ "text": "one" })).send().await.unwrap()).await.status, 201);
    world.comment("two").await;
    for path in ["comments/", "notes/"] {
        let list = world.get(&world.path(path)).await.body;
        assert_eq!((&list[0]["data"]["text"], &list[1]["data"]["text"]), (&json!("two"), &json!("one")));
    }
}

#[tokio::test]
async fn a_comment_needs_a_text() {
    let world = World::start();
    for (body, words) in [
        (json!({}), "This field is required."),
        (json!({ "text": " " }), "This field may not be blank."),
        (json!({ "text": null }), "This field may not be null."),
        (json!({ "text": [] }), "Not a valid string."),
    ] {
        let request = world.request(&world.token, Method::POST, &world.path("comments/"));
        let answer = read(request.json(&body).send().await.unwrap()).await;
        assert_eq!((answer.status, answer.body), (400, json!({ "text": [words] })));
    }
}
