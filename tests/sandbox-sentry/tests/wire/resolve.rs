//! Resolving an issue.

use sandbox_sentry::Actor;
use serde_json::{Value, json};

use crate::client::World;

#[tokio::test]
async fn a_resolve_answers_the_whole_issue_and_fields_that_were_not_sent_stay() {
    let world = World::start();
    let answer = world.put(json!({ "status": "resolved", "unknown": 1 })).await;
    assert_eq!(answer.status, 200);
    for (field, value) in [
        ("id", json!(world.issue.to_string())),
        ("shortId", json!("BACKEND-API-1")),
        ("title", json!("KeyError: 'id'")),
        ("status", json!("resolved")),
        ("substatus", Value::Null),
        ("statusDetails", json!({})),
        ("assignedTo", Value::Null),
        ("priority", json!("high")),
    ] {
        assert_eq!(answer.body[field], value, "{field}");
    }
    assert_eq!(world.sandbox.issue(world.issue).unwrap(), answer.body);
}

#[tokio::test]
async fn each_resolve_is_an_entry_but_the_feed_shows_equal_neighbours_once() {
    let world = World::start();
    for _ in 0..2 {
        world.change(json!({ "status": "resolved" })).await;
    }
    assert_eq!(world.kinds(), ["set_resolved", "set_resolved"]);
    assert_eq!(world.sandbox.activities(world.issue)[0].actor, Actor::Integration);
    let feed = world.get(&world.path("activities/")).await.body;
    let kinds: Vec<_> = feed["activity"].as_array().unwrap().iter().map(|entry| &entry["type"]).collect();
    assert_eq!(kinds, ["set_resolved", "first_seen"]);
    assert_eq!(feed["activity"][0]["user"]["name"], "Discord");
    assert_eq!(world.get(&world.path("")).await.body["activity"], feed["activity"]);
}

#[tokio::test]
async fn in_the_next_release_needs_a_release() {
    let world = World::start();
    let wish = json!({ "status": "resolved", "statusDetails": { "inNextRelease": true } });
    let refused = world.put(wish.clone()).await;
    let words = "No release data present in the system to form a basis for 'Next Release'";
    assert_eq!(refused.body, json!({ "statusDetails": { "inNextRelease": [words] } }));
    assert_eq!((refused.status, world.kinds().len()), (400, 0));
    world.sandbox.add_release(world.project, "1.0");
    let (status, _, details) = world.change(wish).await;
    assert_eq!((status, &details["inNextRelease"]), (json!("resolved"), &json!(true)));
    assert_eq!(details["actor"]["name"], "Discord");
    assert_eq!(world.kinds(), ["set_resolved_in_release"]);
}

#[tokio::test]
async fn the_older_spelling_does_not_look_for_a_release() {
    let world = World::start();
    let (status, _, details) = world.change(json!({ "status": "resolvedInNextRelease" })).await;
    assert_eq!((status, details), (json!("resolved"), json!({})));
    assert_eq!(world.sandbox.activities(world.issue)[0].data, json!({ "version": "" }));
}

#[tokio::test]
async fn in_a_release_needs_that_release() {
    let world = World::start();
    let wish = |version: &str| json!({ "status": "resolved", "statusDetails": { "inRelease": version } });
    assert_eq!(world.put(wish("latest")).await.status, 400);
    world.sandbox.add_release(world.project, "1.0");
    world.sandbox.add_release(world.project, "1.1");
    let refused = world.put(wish("2.0")).await;
    let words = "Unable to find a release with the given version.";
    assert_eq!((refused.status, &refused.body["statusDetails"]["inRelease"][0]), (400, &json!(words)));
    assert_eq!(world.change(wish("latest")).await.2["inRelease"], "1.1");
    assert_eq!(world.change(wish("1.0")).await.2["inRelease"], "1.0");
    assert_eq!(world.kinds().len(), 1, "a second one with a release is no entry");
    assert_eq!(world.change(json!({ "status": "resolved" })).await.2["inRelease"], "1.0");
    assert_eq!(world.change(json!({ "status": "unresolved" })).await.2, json!({}));
    assert_eq!(world.change(json!({ "status": "resolved" })).await.2, json!({}));
}
