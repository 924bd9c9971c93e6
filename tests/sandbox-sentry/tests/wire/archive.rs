//! Archiving an issue.

use serde_json::{Value, json};

use crate::client::World;

async fn archived(body: Value) -> (Value, Value) {
    let world = World::start();
    let (status, substatus, details) = world.change(body).await;
    assert_eq!((status, world.kinds()), (json!("ignored"), vec!["set_ignored"]));
    (substatus, details)
}

#[tokio::test]
async fn a_plain_ignored_is_forever() {
    assert_eq!(archived(json!({ "status": "ignored" })).await, (json!("archived_forever"), json!({})));
}

#[tokio::test]
async fn the_substatus_says_until_when() {
    for substatus in ["archived_until_escalating", "archived_forever"] {
        let (got, details) = archived(json!({ "status": "ignored", "substatus": substatus })).await;
        assert_eq!((got, details), (json!(substatus), json!({})));
    }
    // One that does not fit is inferred.
    let (substatus, _) = archived(json!({ "status": "ignored", "substatus": "ongoing" })).await;
    assert_eq!(substatus, "archived_forever");
}

#[tokio::test]
async fn for_a_time_answers_when_it_ends() {
    let body = json!({ "status": "ignored", "statusDetails": { "ignoreDuration": 60 } });
    let (substatus, details) = archived(body).await;
    assert_eq!(substatus, "archived_until_condition_met");
    let until = details["ignoreUntil"].as_str().unwrap();
    let until = chrono::DateTime::parse_from_rfc3339(until).unwrap().to_utc();
    let minutes = (until - chrono::Utc::now()).num_minutes();
    assert!((58..=60).contains(&minutes), "{minutes}");
    assert_eq!(details["actor"]["name"], "Discord");
}

#[tokio::test]
async fn until_so_many_events_or_users() {
    for field in ["ignoreCount", "ignoreUserCount"] {
        let window = field.replace("Count", "Window");
        let wish = json!({ "status": "ignored", "statusDetails": { field: 100, &window: 10080 } });
        let (substatus, details) = archived(wish).await;
        assert_eq!(substatus, "archived_until_condition_met");
        assert_eq!((&details[field], &details[&window]), (&json!(100), &json!(10080)));
    }
    // Sentry also reads them beside the status.
    let (substatus, details) = archived(json!({ "status": "ignored", "ignoreCount": 5 })).await;
    assert_eq!((substatus, &details["ignoreCount"]), (json!("archived_until_condition_met"), &json!(5)));
}

#[tokio::test]
async fn an_archived_issue_keeps_its_substatus_when_it_is_archived_in_another_way() {
    let world = World::start();
    world.change(json!({ "status": "ignored", "substatus": "archived_until_escalating" })).await;
    let (_, substatus, _) =
        world.change(json!({ "status": "ignored", "substatus": "archived_forever" })).await;
    assert_eq!(substatus, "archived_until_escalating");
    let wish = json!({ "status": "ignored", "statusDetails": { "ignoreCount": 7 } });
    let (_, substatus, details) = world.change(wish).await;
    assert_eq!((substatus, &details["ignoreCount"]), (json!("archived_until_escalating"), &json!(7)));
    assert_eq!(world.kinds(), ["set_ignored"]);
}
