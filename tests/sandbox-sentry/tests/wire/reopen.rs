//! Reopening an issue, and what Sentry does by itself.

use sandbox_sentry::{Actor, Issue};
use serde_json::{Value, json};

use crate::client::World;

/// The substatus of an issue that is so many days old, after these changes.
async fn substatus(days: i64, changes: &[Value]) -> Value {
    let mut world = World::start();
    world.issue = world.sandbox.add_issue(world.project, Issue::new("x").days_old(days));
    let mut last = Value::Null;
    for change in changes {
        last = world.change(change.clone()).await.1;
    }
    last
}

#[tokio::test]
async fn without_a_substatus_it_is_inferred_from_what_was_before() {
    let (open, resolved, archived) =
        (json!({ "status": "unresolved" }), json!({ "status": "resolved" }), json!({ "status": "ignored" }));
    let ongoing = json!({ "status": "unresolved", "substatus": "ongoing" });
    assert_eq!(substatus(0, &[resolved.clone(), open.clone()]).await, "regressed");
    assert_eq!(substatus(0, &[archived.clone(), open.clone()]).await, "new");
    assert_eq!(substatus(8, &[archived, open.clone()]).await, "ongoing");
    assert_eq!(substatus(0, &[resolved, ongoing.clone()]).await, "ongoing");
    assert_eq!(substatus(0, &[ongoing]).await, "new", "an open issue is not changed");
    assert_eq!(substatus(0, &[open]).await, "new");
}

#[tokio::test]
async fn reopening_an_open_issue_is_no_entry() {
    let world = World::start();
    world.change(json!({ "status": "unresolved", "substatus": "ongoing" })).await;
    assert!(world.kinds().is_empty());
}

#[tokio::test]
async fn reopening_ends_the_snooze() {
    let world = World::start();
    world.change(json!({ "status": "ignored", "statusDetails": { "ignoreCount": 7 } })).await;
    let (status, _, details) = world.change(json!({ "status": "unresolved", "substatus": "ongoing" })).await;
    assert_eq!((status, details), (json!("unresolved"), json!({})));
}

#[tokio::test]
async fn an_issue_comes_back_by_itself() {
    let world = World::start();
    world.change(json!({ "status": "resolved" })).await;
    world.sandbox.regress_issue(world.issue);
    assert_eq!(world.get(&world.path("")).await.body["substatus"], "regressed");
    world.change(json!({ "status": "ignored", "substatus": "archived_until_escalating" })).await;
    world.sandbox.escalate_issue(world.issue);
    assert_eq!(world.get(&world.path("")).await.body["substatus"], "escalating");
    assert_eq!(world.kinds(), ["set_resolved", "set_regression", "set_ignored", "set_escalating"]);
    assert_eq!(world.sandbox.activities(world.issue)[3].actor, Actor::Sentry);
}

#[tokio::test]
async fn somebody_else_changes_an_issue_in_sentry() {
    let world = World::start();
    let olivia = Actor::User(world.olivia);
    world.sandbox.change_issue(world.issue, olivia, &json!({ "status": "resolved" })).unwrap();
    let issue = world.get(&world.path("")).await.body;
    assert_eq!(
        (&issue["status"], &issue["activity"][0]["user"]["name"]),
        (&json!("resolved"), &json!("Olivia"))
    );
    let refused = world.sandbox.change_issue(world.issue, olivia, &json!({ "status": "x" }));
    assert!(refused.unwrap_err().to_string().contains("is not a valid choice"));
}
