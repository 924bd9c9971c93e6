//! Bodies that Sentry refuses.

use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{World, read};

#[tokio::test]
async fn wrong_fields_are_answered_400_with_the_reason_below_their_names() {
    let world = World::start();
    let choice = |text: &str| json!([format!("\"{text}\" is not a valid choice.")]);
    let details = |field: &str, words: &str| json!({ "statusDetails": { field: [words] } });
    let ignored =
        |field: &str, value: Value| json!({ "status": "ignored", "statusDetails": { field: value } });
    for (body, errors) in [
        (json!({ "status": "closed" }), json!({ "status": choice("closed") })),
        (json!({ "status": null }), json!({ "status": ["This field may not be null."] })),
        (json!({ "substatus": "archived" }), json!({ "substatus": choice("archived") })),
        (json!({ "priority": "urgent" }), json!({ "priority": choice("urgent") })),
        (json!({ "hasSeen": 3 }), json!({ "hasSeen": ["Must be a valid boolean."] })),
        (ignored("ignoreCount", json!("x")), details("ignoreCount", "A valid integer is required.")),
        (
            ignored("ignoreWindow", json!(10081)),
            details("ignoreWindow", "Ensure this value is less than or equal to 10080."),
        ),
        (json!({ "status": "ignored", "ignoreWindow": 10081 }), {
            json!({ "ignoreWindow": ["Ensure this value is less than or equal to 10080."] })
        }),
        (
            json!({ "status": "resolved", "statusDetails": { "inCommit": { "commit": "a", "repository": "b" } } }),
            details("inCommit", "Unable to find the given repository."),
        ),
        (
            json!({ "statusDetails": "x" }),
            details("non_field_errors", "Invalid data. Expected a dictionary, but got str."),
        ),
        (
            json!(["resolved"]),
            json!({ "non_field_errors": ["Invalid data. Expected a dictionary, but got list."] }),
        ),
        (
            json!({ "status": "closed", "priority": "urgent" }),
            json!({ "status": choice("closed"), "priority": choice("urgent") }),
        ),
    ] {
        let answer = world.put(body.clone()).await;
        assert_eq!((answer.status, &answer.body), (400, &errors), "{body}");
    }
    assert!(world.kinds().is_empty());
}

#[tokio::test]
async fn a_body_that_is_not_json_is_refused() {
    let world = World::start();
    let put = |kind: &str, body: &'static str| {
        let request = world.request(&world.token, Method::PUT, &world.path(""));
        request.header("content-type", kind.to_owned()).body(body).send()
    };
    let answer = read(put("text/plain", "{}").await.unwrap()).await;
    let words = "Unsupported media type \"text/plain\" in request.";
    assert_eq!((answer.status, answer.detail()), (415, words));
    let answer = read(put("application/json", "{").await.unwrap()).await;
    assert_eq!(answer.status, 400);
    assert!(answer.detail().starts_with("JSON parse error - "), "{answer:?}");
}

#[tokio::test]
async fn fields_that_the_sandbox_does_not_play_are_refused_and_reported() {
    let world = World::start();
    for field in ["merge", "discard", "isPublic", "inbox", "isBookmarked"] {
        assert_eq!(world.put(json!({ field: true })).await.status, 501);
    }
    assert_eq!(world.sandbox.unknown_requests()[0], "the field merge of an update");
}
