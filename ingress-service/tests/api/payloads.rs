//! Each real payload and the alert that it becomes.

use ingress_service::payload::legacy::LegacyWebhook;
use serde_json::json;
use shared::{ChannelId, UserId, alert::MAX_RECORD};

use crate::support::{TestApp, fixture, fixtures};

/// 2025-11-24 00:00:00: a day after the events, so that it is seen if it is
/// used in their place.
const RECEIVED_MS: i64 = 1_763_942_400_000;

fn names() -> Vec<String> {
    fixtures("legacy")
}

#[test]
fn every_payload_becomes_its_alert() {
    for name in names() {
        let webhook = LegacyWebhook::parse(fixture(&name).as_bytes()).expect("the schema allows it");
        let alert = webhook.alert(ChannelId::new(1), Some(UserId::new(2)), RECEIVED_MS);
        let shown = serde_json::to_string_pretty(&alert).expect("an alert serializes");
        insta::assert_snapshot!(name.trim_end_matches(".json"), shown);
    }
}

#[test]
fn an_alert_stays_small_whatever_is_sent() {
    let long = "x".repeat(20_000);
    let stack = json!({"frames": [{"filename": long, "function": long, "context_line": long}]});
    let tags: Vec<_> = (0..100).map(|_| ["browser", &long]).collect();
    let body = json!({
        "id": long, "project": long, "project_name": long, "message": long, "culprit": long, "logger": long,
        "level": long, "url": long, "triggering_rules": vec![&long; 100],
        "event": {"event_id": long, "title": long, "release": long, "environment": long, "tags": tags,
            "stacktrace": stack},
    });
    let webhook = LegacyWebhook::parse(body.to_string().as_bytes()).expect("the schema allows it");
    let alert = webhook.alert(ChannelId::new(1), None, RECEIVED_MS);
    assert_eq!((alert.rules.len(), alert.tags.len()), (8, 8));
    let url = alert.url.as_deref().expect("what there is of a long link is shown");
    assert!(url.chars().count() == 1024 && url.ends_with('…'), "{url}");
    let size = alert.encode().len();
    // The link counts too, by its kilobyte.
    assert!(size <= MAX_RECORD, "{size} bytes");
}

/// What a legacy webhook says of an event of Sentry's own that it tells of.
fn category(event: serde_json::Value) -> (Option<String>, Option<String>, Option<String>) {
    let body =
        json!({"id": "7", "project": "p", "message": "", "url": "https://s.example/7", "event": event});
    let webhook = LegacyWebhook::parse(body.to_string().as_bytes()).expect("the schema allows it");
    let alert = webhook.alert(ChannelId::new(1), None, RECEIVED_MS);
    assert_eq!(alert.kind, "error");
    (alert.details.category, alert.title, alert.message)
}

#[test]
fn a_legacy_webhook_says_what_kind_of_issue_it_is_about() {
    let (trace, untitled) = (json!({"trace_id": "0af7"}), "<untitled>");
    let monitor = json!({"slug": "nightly-backup"});
    let feedback = json!({"message": "It broke", "contact_email": "jane@example.com"});
    for (event, expected, title) in [
        (
            json!({"type": "generic", "title": untitled, "contexts": {"monitor": monitor, "trace": trace}}),
            Some("cron"),
            "nightly-backup",
        ),
        (
            json!({"type": "generic", "title": "Downtime detected for https://a.example",
                "contexts": {"trace": trace}, "tags": [["uptime_rule", "7"]]}),
            Some("uptime"),
            "Downtime detected for https://a.example",
        ),
        (json!({"type": "generic", "title": "t", "contexts": {"trace": trace}}), Some("uptime"), "t"),
        (json!({"type": "default", "title": "t", "tags": [["uptime_rule", "7"]]}), Some("uptime"), "t"),
        (
            json!({"type": "transaction", "title": "/books/", "contexts": {"trace": trace}}),
            Some("performance"),
            "/books/",
        ),
        (
            json!({"type": "generic", "title": untitled, "contexts": {"feedback": feedback, "trace": trace}}),
            Some("feedback"),
            "It broke",
        ),
        (json!({"type": "feedback", "title": "User Feedback"}), Some("feedback"), "User Feedback"),
        // Errors have a trace, and those of a job that is monitored its context.
        (
            json!({"type": "error", "title": "E", "contexts": {"trace": trace, "monitor": monitor},
                "exception": {"values": [{"type": "E"}]}}),
            None,
            "E",
        ),
        (json!({"type": "default", "title": "m", "contexts": {"trace": trace}}), None, "m"),
        (json!({"type": "generic", "title": "p", "contexts": {"trace": trace, "profile": {}}}), None, "p"),
        (json!({"type": "generic", "title": "x"}), None, "x"),
    ] {
        let (category, shown, message) = category(event.clone());
        assert_eq!((category.as_deref(), shown.as_deref()), (expected, Some(title)), "{event}");
        let said = event.pointer("/contexts/feedback/message").and_then(|said| said.as_str());
        assert_eq!(message.as_deref(), said, "{event}");
    }
}

#[test]
fn personal_data_does_not_leave() {
    for name in names() {
        let webhook = LegacyWebhook::parse(fixture(&name).as_bytes()).expect("the schema allows it");
        let alert = webhook.alert(ChannelId::new(1), None, RECEIVED_MS).encode();
        let alert = String::from_utf8(alert).expect("JSON");
        for private in
            ["jane@example.com", "88121", "203.0.113.7", "198.51.100.23", "okhttp/4.12.0", "gunicorn"]
        {
            assert!(!alert.contains(private), "{name}: {private}");
        }
        assert!(alert.len() <= MAX_RECORD, "{name}: {} bytes", alert.len());
    }
}

#[tokio::test]
async fn every_payload_is_stored() {
    let app = TestApp::start().await;
    for name in names() {
        app.post("/sentry-bot/channel?id=42", fixture(&name)).await.expect(200, r#"{"success":"200"}"#);
    }
    assert_eq!(app.alerts().await.len(), names().len());
}
