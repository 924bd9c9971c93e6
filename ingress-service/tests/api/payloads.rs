//! Each real payload and the alert that it becomes.

use ingress_service::payload::legacy::LegacyWebhook;
use serde_json::json;
use shared::{ChannelId, UserId};

use crate::support::{TestApp, fixture, fixtures};

/// 2025-11-24 00:00:00: a day after the events, so that it shows where it stands in.
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
    assert!(size < 16_000, "{size} bytes");
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
        assert!(alert.len() < 10_000, "{name}: {} bytes", alert.len());
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
