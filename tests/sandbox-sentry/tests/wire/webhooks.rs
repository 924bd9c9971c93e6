//! The webhooks that follow a change.

use std::time::{Duration, Instant};

use harness::wait::{SOON, wait_for};
use sandbox_sentry::{Actor, ArchiveHooks, Config, Delivery, Issue, RateLimits};
use serde_json::{Value, json};

use crate::{client::World, receiver::Receiver};

fn config() -> Config {
    Config::default().limits(RateLimits::unlimited())
}

async fn delivered(world: &World, count: usize) -> Vec<Delivery> {
    wait_for("webhooks are sent", SOON, || async {
        let all = world.sandbox.deliveries();
        (all.len() >= count).then_some(all)
    })
    .await
}

async fn kinds(world: &World, count: usize) -> Vec<String> {
    delivered(world, count).await.into_iter().map(|delivery| delivery.kind).collect()
}

#[tokio::test]
async fn a_change_comes_back_signed_to_a_receiver_with_a_certificate_of_its_own() {
    let receiver = Receiver::start();
    let world = World::with(config().webhooks(receiver.target()).client_secret("s3cret"));
    world.change(json!({ "status": "resolved" })).await;
    let webhook = receiver.next().await;
    let signature = sentry_sender::webhook::signature("s3cret", &webhook.raw).unwrap();
    assert_eq!(webhook.header("sentry-hook-signature"), signature);
    assert_eq!(webhook.header("sentry-hook-resource"), "issue");
    assert!(webhook.header("sentry-hook-timestamp").parse::<u64>().unwrap() > 1_700_000_000);
    assert_eq!(webhook.header("request-id").len(), 32);
    assert_eq!(webhook.header("content-type"), "application/json");
    assert_eq!(
        (&webhook.body["action"], &webhook.body["data"]["resolution_type"]),
        (&json!("resolved"), &json!("now"))
    );
    // The actor is the integration that receives it.
    assert_eq!(
        (&webhook.body["actor"]["type"], &webhook.body["actor"]["name"]),
        (&json!("application"), &json!("Discord"))
    );
    let issue = &webhook.body["data"]["issue"];
    let base = world.sandbox.url();
    assert_eq!(issue["url"], format!("{base}/api/0/organizations/acme/issues/{}/", world.issue));
    assert_eq!(issue["web_url"], format!("{base}/organizations/acme/issues/{}/", world.issue));
    assert_eq!(delivered(&world, 1).await[0].status, Some(200));
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_loses_the_webhook() {
    let receiver = Receiver::start();
    let world = World::with(config().webhooks(receiver.distrusted()));
    world.change(json!({ "status": "resolved" })).await;
    let delivery = delivered(&world, 1).await.remove(0);
    assert_eq!((delivery.status, delivery.error.is_some()), (None, true));
    assert!(receiver.received().is_empty());
}

#[tokio::test]
async fn bodies_have_the_shape_of_sentrys() {
    let resolved = json!({ "status": "resolved", "statusDetails": { "inNextRelease": true } });
    let count = json!({ "status": "ignored", "statusDetails": { "ignoreCount": 100, "ignoreWindow": 60 } });
    let escalating = json!({ "status": "ignored", "substatus": "archived_until_escalating" });
    let assigned = json!({ "assignedTo": "olivia@example.com" });
    for (change, fixture) in [
        (None, include_str!("../../../fixtures/platform/issue.created.json")),
        (Some(assigned), include_str!("../../../fixtures/platform/issue.assigned.json")),
        (Some(resolved), include_str!("../../../fixtures/platform/issue.resolved.json")),
        (Some(escalating), include_str!("../../../fixtures/platform/issue.ignored.json")),
        (Some(count), include_str!("../../../fixtures/platform/issue.archived.json")),
    ] {
        let theirs: Value = serde_json::from_str(fixture).unwrap();
        let archived = theirs["action"] == "archived";
        let hooks = if archived { ArchiveHooks::Archived } else { ArchiveHooks::Ignored };
        let world = World::with(config().archive_hooks(hooks));
        world.sandbox.add_release(world.project, "1.0");
        match change {
            Some(change) => {
                world.sandbox.change_issue(world.issue, Actor::User(world.olivia), &change).unwrap();
            }
            None => {
                world.sandbox.raise_issue(world.project, Issue::new("KeyError: 'id'"));
            }
        }
        same_shape(&delivered(&world, 1).await[0].body, &theirs);
    }
}

#[tokio::test]
async fn a_regression_has_the_shape_of_sentrys() {
    let world = World::with(config());
    world.sandbox.hold_webhooks();
    world.change(json!({ "status": "resolved" })).await;
    world.sandbox.regress_issue(world.issue);
    world.sandbox.release_webhooks(&[1]);
    let fixture = include_str!("../../../fixtures/platform/issue.unresolved.json");
    same_shape(&delivered(&world, 1).await[0].body, &serde_json::from_str(fixture).unwrap());
}

fn same_shape(own: &Value, theirs: &Value) {
    assert_eq!(own["action"], theirs["action"]);
    for state in ["status", "substatus"] {
        assert_eq!(own["data"]["issue"][state], theirs["data"]["issue"][state], "{}", own["action"]);
    }
    let (mut own_shape, mut their_shape) = (shape(own), shape(theirs));
    for body in [&mut own_shape, &mut their_shape] {
        // A whole user, of whom the fixtures tell the name only.
        if let Some(actor) = body.pointer_mut("/data/issue/statusDetails/actor") {
            *actor = Value::Null;
        }
    }
    assert_eq!(own_shape, their_shape, "{}", own["action"]);
}

/// The names and the types of a body.
fn shape(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), shape(value))).collect(),
        Value::Array(items) => items.iter().map(shape).collect(),
        Value::String(_) => json!("string"),
        Value::Number(_) => json!("number"),
        Value::Bool(_) => json!("bool"),
        Value::Null => Value::Null,
    }
}

#[tokio::test]
async fn each_resolve_is_told_and_what_changes_nothing_is_not() {
    let world = World::with(config());
    world.change(json!({ "status": "resolved" })).await;
    world.change(json!({ "status": "resolved" })).await;
    world.change(json!({ "status": "unresolved", "substatus": "ongoing" })).await;
    world.change(json!({ "status": "unresolved", "substatus": "new" })).await;
    world.change(json!({ "assignedTo": world.olivia })).await;
    world.change(json!({ "assignedTo": world.olivia })).await;
    world.change(json!({ "assignedTo": "" })).await;
    world.change(json!({ "priority": "low" })).await;
    world.change(json!({ "status": "ignored" })).await;
    world.change(json!({ "status": "ignored", "substatus": "archived_until_escalating" })).await;
    // Nothing tells that an archived issue was reopened by hand.
    world.change(json!({ "status": "unresolved" })).await;
    world.comment("not told by default").await;
    world.change(json!({ "status": "resolved" })).await;
    let expected = ["resolved", "resolved", "unresolved", "assigned", "ignored", "resolved"];
    let mut told = kinds(&world, expected.len()).await;
    told.sort();
    let mut expected = expected.map(|action| format!("issue.{action}"));
    expected.sort();
    assert_eq!(told, expected);
}

#[tokio::test]
async fn archiving_is_told_in_the_words_of_several_versions() {
    for (hooks, told) in [
        (ArchiveHooks::Ignored, vec!["issue.ignored"]),
        (ArchiveHooks::Archived, vec!["issue.archived"]),
        (ArchiveHooks::Both, vec!["issue.ignored", "issue.archived"]),
    ] {
        let world = World::with(config().archive_hooks(hooks));
        world.sandbox.hold_webhooks();
        world.change(json!({ "status": "ignored" })).await;
        assert_eq!(world.sandbox.held_webhooks(), told);
    }
}

#[tokio::test]
async fn webhooks_come_in_another_order_and_show_the_state_at_their_sending() {
    let world = World::with(config());
    world.sandbox.hold_webhooks();
    world.change(json!({ "status": "resolved" })).await;
    world.change(json!({ "status": "unresolved", "substatus": "ongoing" })).await;
    world.sandbox.escalate_issue(world.issue);
    let waiting = ["issue.resolved", "issue.unresolved", "issue.unresolved"];
    assert_eq!(world.sandbox.held_webhooks(), waiting);
    world.sandbox.release_webhooks(&[1, 0, 0]);
    let sent = delivered(&world, 3).await;
    let order: Vec<_> = sent.iter().map(|delivery| delivery.kind.as_str()).collect();
    assert_eq!(order, ["issue.unresolved", "issue.resolved", "issue.resolved"]);
    let issue = &sent[1].body["data"]["issue"];
    assert_eq!((&issue["status"], &issue["substatus"]), (&json!("unresolved"), &json!("escalating")));
    // Later ones no longer wait.
    world.change(json!({ "status": "ignored" })).await;
    assert_eq!(kinds(&world, 4).await[3], "issue.ignored");
}

#[tokio::test]
async fn webhooks_come_late() {
    let world = World::with(config().webhook_delay(Duration::from_millis(300)));
    let start = Instant::now();
    world.change(json!({ "status": "resolved" })).await;
    assert!(world.sandbox.deliveries().is_empty());
    delivered(&world, 1).await;
    assert!(start.elapsed() >= Duration::from_millis(300));
}

#[tokio::test]
async fn comments_are_told_to_those_who_want_them() {
    let world = World::with(config().comment_hooks(true));
    world.comment("Resolved by Ada").await;
    let comment = delivered(&world, 1).await.remove(0);
    let theirs: Value =
        serde_json::from_str(include_str!("../../../fixtures/platform/comment.created.json")).unwrap();
    assert_eq!(shape(&comment.body["data"]), shape(&theirs["data"]));
    assert_eq!(
        (comment.kind.as_str(), &comment.body["data"]["comment"]),
        ("comment.created", &json!("Resolved by Ada"))
    );
}
