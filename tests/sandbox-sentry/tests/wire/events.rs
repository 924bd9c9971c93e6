//! Events and their stack traces.

use sandbox_sentry::{Event, Frame, Issue};
use serde_json::json;

use crate::client::World;

#[tokio::test]
async fn the_latest_event_has_its_frames_the_oldest_first() {
    let world = World::start();
    for which in ["latest", "recommended", "oldest"] {
        let event = world.get(&world.path(&format!("events/{which}/"))).await.body;
        assert_eq!((&event["groupID"], &event["type"]), (&json!(world.issue.to_string()), &json!("error")));
        let entry = &event["entries"][0];
        let exception = &entry["data"]["values"][0];
        assert_eq!((&entry["type"], &exception["type"]), (&json!("exception"), &json!("KeyError")));
        let frames = exception["stacktrace"]["frames"].as_array().unwrap();
        let seen: Vec<_> = frames.iter().map(|frame| (&frame["function"], &frame["inApp"])).collect();
        assert_eq!(seen, [(&json!("inner"), &json!(false)), (&json!("lookup"), &json!(true))]);
        assert_eq!(frames[1]["lineNo"], 41);
        assert_eq!(frames[1]["context"], json!([[41, "return customers[id]"]]));
        assert_eq!(event["tags"][0], json!({ "key": "environment", "value": "production" }));
    }
}

#[tokio::test]
async fn events_are_found_by_id_and_environment_and_know_their_neighbours() {
    let mut world = World::start();
    let first = Event::new("A: x").environment("staging").frame(Frame::new("a.py", "a", 1, "a()"));
    let second = Event::new("B: x").environment("production");
    let (one, two) = (first.id().to_owned(), second.id().to_owned());
    world.issue = world.sandbox.add_issue(world.project, Issue::new("x").event(first).event(second));
    let path = |rest: &str| world.path(&format!("events/{rest}"));
    let latest = world.get(&path("latest/")).await.body;
    assert_eq!((&latest["eventID"], &latest["previousEventID"]), (&json!(two), &json!(one)));
    let brief = world.get(&path("latest/?collapse=stacktraceOnly")).await.body;
    assert_eq!((&brief["eventID"], brief.get("previousEventID")), (&json!(two), None));
    assert_eq!(world.get(&path("latest/?environment=staging")).await.body["eventID"], json!(one));
    assert_eq!(world.get(&path("oldest/")).await.body["eventID"], json!(one));
    assert_eq!(world.get(&path(&format!("{one}/"))).await.body["eventID"], json!(one));
    assert_eq!(world.get(&path("latest/?environment=x")).await.status, 404);
}

#[tokio::test]
async fn events_that_are_gone_are_404_in_words() {
    let world = World::start();
    world.sandbox.expire_events(world.issue);
    for (which, words) in [("latest", "No matching event found"), ("0123", "Event not found.")] {
        let answer = world.get(&world.path(&format!("events/{which}/"))).await;
        assert_eq!(answer.status, 404);
        assert!(answer.detail().starts_with(words), "{answer:?}");
    }
}
