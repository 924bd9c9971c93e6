//! Webhooks of the Integration Platform: each real payload and the alert that it
//! becomes, and what is answered to all others.

use ingress_service::payload::platform::{PlatformWebhook, known};
use serde_json::{Value, json};
use shared::{
    Alert, ChannelId, UserId,
    alert::{MAX_RECORD, UNKNOWN_PROJECT},
};

use crate::support::{CHANNEL, MINIMAL, Request, TestApp, fixtures, platform_fixture};

/// 2025-11-24 00:00:00: a day after the events, so that it is seen if it is
/// used in their place.
const RECEIVED_MS: i64 = 1_763_942_400_000;
const STORED: &str = r#"{"success":"200"}"#;
const INVALID: &str = r#"{"error":{"type":"validation_failed","message":"Validation failed."}}"#;

fn resource_of(name: &str) -> &str {
    name.split('.').next().expect("a name begins with its resource")
}

fn alert(resource: &str, body: &str) -> Alert {
    let resource = known(resource.as_bytes()).expect("a known resource");
    let webhook = PlatformWebhook::parse(resource, body.as_bytes()).expect("the schema allows it");
    webhook.expect("a known action").alert(ChannelId::new(1), Some(UserId::new(2)), RECEIVED_MS)
}

fn webhook(resource: &str, body: impl Into<Vec<u8>>) -> Request {
    Request::post(CHANNEL, body).header("Sentry-Hook-Resource", resource)
}

/// A fixture with one value of it replaced.
fn changed(name: &str, pointer: &str, value: Value) -> String {
    let mut body: Value = serde_json::from_str(&platform_fixture(name)).expect("JSON");
    *body.pointer_mut(pointer).expect("the fixture has it") = value;
    body.to_string()
}

#[test]
fn every_payload_becomes_its_alert() {
    for name in fixtures("platform") {
        let alert = alert(resource_of(&name), &platform_fixture(&name));
        assert_eq!(Alert::decode(&alert.encode()).expect("it was encoded"), alert);
        let shown = serde_json::to_string_pretty(&alert).expect("an alert serializes");
        insta::assert_snapshot!(name.trim_end_matches(".json"), shown);
    }
}

#[tokio::test]
async fn every_payload_is_stored_without_secrets_and_personal_data() {
    let app = TestApp::start().await;
    let names = fixtures("platform");
    for name in &names {
        webhook(resource_of(name), platform_fixture(name)).send(app.port).await.expect(200, STORED);
    }
    let stored = app.raw().await;
    assert_eq!(stored.len(), names.len());
    for bytes in stored {
        let text = String::from_utf8_lossy(&bytes);
        for private in [
            "f3c71b491ea949b6b033ae45312a4fcb",
            "installablepreprodartifact",
            "a8e5d37a-696c-4c54-adb5-b3f28d64c7de",
            "example.com/api",
            "meredith@example.com",
            "jane@example.com",
            "88121",
            "203.0.113.7",
            "198.51.100.23",
            "okhttp",
        ] {
            assert!(!text.contains(private), "{private}: {text}");
        }
        assert!(bytes.len() < 5_000, "{} bytes", bytes.len());
    }
}

#[tokio::test]
async fn unknown_resources_and_actions_are_acknowledged_and_asked_of_nobody() {
    let app = TestApp::start().await;
    for (resource, body) in [
        ("sentry_app", ""),
        ("event_alert2", "no JSON at all"),
        ("issue", r#"{"action":"merged","data":7}"#),
        ("seer", r#"{"action":"root_cause"}"#),
        ("comment", r#"{"action":""}"#),
    ] {
        webhook(resource, body).send(app.port).await.expect(200, STORED);
    }
    let wrong = Request::post("/sentry-bot/channel?x=1", "").header("Sentry-Hook-Resource", "other");
    wrong.send(app.port).await.expect(400, INVALID);
    assert_eq!(app.alerts().await, []);
    assert_eq!(app.verdicts().asked(), []);
}

#[tokio::test]
async fn what_breaks_a_resources_schema_is_refused() {
    let app = TestApp::start().await;
    for (resource, body) in [
        ("event_alert", "{}"),
        ("event_alert", "null"),
        ("event_alert", MINIMAL),
        ("event_alert", r#"{"action":7,"data":{"event":{"title":"t"}}}"#),
        ("event_alert", r#"{"action":"triggered"}"#),
        ("event_alert", r#"{"action":"triggered","data":{"event":{}}}"#),
        ("error", r#"{"action":"created","data":{"event":{"title":"t"}}}"#),
        ("issue", r#"{"action":"created","data":{"issue":{"title":"t"}}}"#),
        ("issue", r#"{"action":"created","data":{"issue":{"id":"1","title":7}}}"#),
        ("metric_alert", r#"{"action":"critical","data":{}}"#),
        ("comment", r#"{"action":"created","data":{"issue_id":null}}"#),
        ("installation", r#"{"action":"deleted","data":{"installation":"x"}}"#),
        ("seer", r#"{"action":"pr_created","data":[]}"#),
        ("activity_alert", r#"{"action":"triggered","data":{"issue":null}}"#),
        ("preprod_artifact", r#"{"action":"size_analysis_completed","data":{"appInfo":1}}"#),
    ] {
        let response = webhook(resource, body).send(app.port).await;
        assert_eq!((response.status, response.body.as_str()), (400, INVALID), "{resource}: {body}");
    }
    for body in ["", "no JSON at all"] {
        assert_eq!(webhook("issue", body).send(app.port).await.status, 415, "{body}");
    }
    assert_eq!(app.alerts().await, []);
    assert_eq!(app.verdicts().asked(), []);
}

#[tokio::test]
async fn ids_are_checked_after_the_body_and_a_token_is_refused() {
    let app = TestApp::start().await;
    for (query, status) in [("id=x", 400), ("id=42&mention=x", 400), ("id=42&token=t", 401), ("id=0", 401)] {
        let request =
            Request::post(&format!("/sentry-bot/channel?{query}"), platform_fixture("comment.created.json"));
        let response = request.header("Sentry-Hook-Resource", "comment").send(app.port).await;
        assert_eq!(response.status, status, "{query}");
    }
    assert_eq!(app.alerts().await, []);
}

#[tokio::test]
async fn the_verdict_is_asked_for_the_project_and_the_mention() {
    let app = TestApp::start().await;
    for (name, project) in [
        ("event_alert.triggered.json", "backend-api"),
        ("issue.resolved.json", "backend-api"),
        ("metric_alert.critical.json", "backend-api"),
        ("comment.created.json", "backend-api"),
        ("preprod_artifact.size_analysis_completed.json", "ios-app"),
        ("seer.pr_created.json", UNKNOWN_PROJECT),
    ] {
        let request = Request::post("/sentry-bot/channel?id=42&mention=7", platform_fixture(name));
        let request = request.header("Sentry-Hook-Resource", resource_of(name));
        request.header("Sentry-Hook-Signature", "wrong").send(app.port).await.expect(200, STORED);
        let asked = app.verdicts().asked();
        let question = asked.last().expect("it was asked");
        assert_eq!((question.project.as_str(), question.mention), (project, Some(UserId::new(7))), "{name}");
    }
}

#[tokio::test]
async fn sentrys_keys_tell_firings_apart() {
    let app = TestApp::start().await;
    let body = platform_fixture("comment.created.json");
    for request in [
        webhook("comment", body.clone()).header("Idempotency-Key", "a1").header("Request-ID", "r1"),
        webhook("comment", body.clone()).header("Idempotency-Key", "a1").header("Request-ID", "r2"),
        webhook("comment", body.clone()).header("Request-ID", "r1"),
        webhook("comment", body.clone()),
        webhook("comment", body),
    ] {
        request.send(app.port).await.expect(200, STORED);
    }
    let ids: Vec<_> = app.stored().await.into_iter().map(|(id, _)| id).collect();
    assert_eq!(ids[..2], ["42-a1", "42-r1"]);
    assert_eq!(ids.len(), 3, "{ids:?}");
}

#[test]
fn an_event_folds_with_the_legacy_webhook_of_its_issue() {
    for name in ["event_alert.triggered.json", "error.created.json"] {
        let alert = alert(resource_of(name), &platform_fixture(name));
        assert_eq!((alert.kind.as_str(), alert.project.as_str()), ("error", "backend-api"));
        assert_eq!(alert.level.as_deref(), Some("error"));
        assert!(alert.issue_id.is_some_and(|id| id.starts_with("6100")));
    }
}

#[test]
fn a_project_that_no_payload_names_has_a_placeholder() {
    for url in [json!(null), json!("https://us.sentry.io/api/0/projects/"), json!("projects/a/b")] {
        let body = changed("event_alert.triggered.json", "/data/event/url", url);
        assert_eq!(alert("event_alert", &body).project, UNKNOWN_PROJECT);
    }
    let body = changed("issue.created.json", "/data/issue/project", json!(null));
    assert_eq!(alert("issue", &body).project, UNKNOWN_PROJECT);
    let body = changed("metric_alert.critical.json", "/data/metric_alert/projects", json!([null, "b", "c"]));
    let alert = alert("metric_alert", &body);
    assert_eq!(alert.project, "b");
    assert_eq!(alert.details.evidence, [("Projects".to_owned(), "b, c".to_owned())]);
}

#[test]
fn a_placeholder_is_never_a_title() {
    for (name, pointer) in [
        ("event_alert.triggered_cron.json", "/data/event/title"),
        ("event_alert.triggered.json", "/data/event/title"),
        ("issue.created_outage.json", "/data/issue/title"),
        ("issue.created.json", "/data/issue/title"),
    ] {
        for placeholder in ["<untitled>", "<unlabeled event>", "", " "] {
            let shown = alert(resource_of(name), &changed(name, pointer, json!(placeholder))).title;
            let shown = shown.expect("something else serves");
            assert!(!shown.contains('<') && !shown.trim().is_empty(), "{name}: {shown}");
        }
    }
    let bare = alert("issue", r#"{"action":"created","data":{"issue":{"id":61,"title":"<untitled>"}}}"#);
    assert_eq!((bare.title.as_deref(), bare.issue_id.as_deref()), (Some("Issue 61"), Some("61")));
}

#[test]
fn how_an_issue_was_changed_is_told_in_words() {
    let resolved = |how: &str| {
        alert("issue", &changed("issue.resolved.json", "/data/resolution_type", json!(how))).details.how
    };
    assert_eq!(resolved("now"), None);
    assert_eq!(resolved("in_next_release").as_deref(), Some("in the next release"));
    assert_eq!(resolved("in_commit").as_deref(), Some("by a commit"));
    assert_eq!(resolved("with_third_party_app").as_deref(), Some("with third party app"));
    let back = |why: &str| {
        alert("issue", &changed("issue.unresolved.json", "/data/issue/substatus", json!(why))).details.how
    };
    assert_eq!(back("regressed").as_deref(), Some("regression"));
    assert_eq!(back("escalating").as_deref(), Some("escalating"));
    assert_eq!(back("ongoing"), None);
}

#[test]
fn what_seer_found_is_told() {
    let found = "The price table lost its sku column in migration 41";
    let details = json!({"summary": found});
    let told =
        alert("activity_alert", &changed("activity_alert.triggered.json", "/data/activity/details", details));
    assert_eq!(told.message.as_deref(), Some(found));
    assert!(told.title.is_some_and(|title| !title.contains(found)), "the title stays the issue's");
    for nothing in [json!({}), json!({"summary": ""}), json!({"summary": 7}), json!(null)] {
        let body = changed("activity_alert.triggered.json", "/data/activity/details", nothing);
        assert_ne!(alert("activity_alert", &body).message.as_deref(), Some(found));
    }
}

#[test]
fn what_was_deleted_is_not_said_again() {
    let deleted = alert("comment", &changed("comment.created.json", "/action", json!("deleted")));
    assert_eq!((deleted.kind.as_str(), deleted.message), ("comment.deleted", None));
}

#[test]
fn an_alert_stays_small_whatever_is_sent() {
    fn lengthen(value: &mut Value) {
        match value {
            Value::String(text) if text.len() > 3 => text.push_str(&"x".repeat(20_000)),
            Value::Array(items) => {
                items.iter_mut().for_each(lengthen);
                let all = items.clone();
                items.extend((0..20).flat_map(|_| all.clone()));
            }
            Value::Object(fields) => fields.values_mut().for_each(lengthen),
            _ => {}
        }
    }
    // Of the fixtures, those without lists in lists.
    for name in fixtures("platform").iter().filter(|name| !name.starts_with("e")) {
        let mut body: Value = serde_json::from_str(&platform_fixture(name)).expect("JSON");
        lengthen(&mut body["data"]);
        let size = alert(resource_of(name), &body.to_string()).encode().len();
        assert!(size <= MAX_RECORD, "{name}: {size} bytes");
    }
}
