//! Webhooks of an internal integration.

use sentry_sender::Webhook;
use serde_json::{Value, json};

/// The webhook of an action on this issue: `created`, `resolved`, `assigned`, … An
/// `actor` that is empty is Sentry itself.
pub fn issue_change(issue: &str, title: &str, action: &str, actor: &str) -> Webhook {
    Webhook::platform("issue", issue_body(issue, title, action, actor).to_string())
}

/// The webhook of an alert rule about an error of this project, of an issue of its own.
pub fn event_alert(project: &str, title: &str, level: &str, environment: &str) -> Webhook {
    let fixture = include_str!("../../fixtures/platform/event_alert.triggered.json");
    let mut body: Value = serde_json::from_str(fixture).expect("JSON");
    let event = &mut body["data"]["event"];
    event["title"] = title.into();
    event["issue_id"] = title.into();
    event["level"] = level.into();
    event["environment"] = environment.into();
    event["tags"] = json!([["environment", environment], ["level", level]]);
    event["url"] = format!("https://us.sentry.io/api/0/projects/acme/{project}/events/1/").into();
    Webhook::platform("event_alert", body.to_string())
}

/// A change of an issue that came back by itself.
pub fn regression(issue: &str, title: &str) -> Webhook {
    let mut body = issue_body(issue, title, "unresolved", "");
    body["data"]["issue"]["substatus"] = "regressed".into();
    Webhook::platform("issue", body.to_string())
}

fn issue_body(issue: &str, title: &str, action: &str, actor: &str) -> Value {
    let actor = match actor {
        "" => json!({"type": "application", "id": "sentry", "name": "Sentry"}),
        name => json!({"type": "user", "id": 112_233, "name": name}),
    };
    json!({
        "action": action,
        "installation": {"uuid": "a8e5d37a-696c-4c54-adb5-b3f28d64c7de"},
        "actor": actor,
        "data": {
            "resolution_type": "now",
            "assignee": {"type": "user", "name": "Bob", "id": 4},
            "issue": {
                "id": issue,
                "shortId": format!("BACKEND-{issue}"),
                "title": title,
                "level": "error",
                "status": "unresolved",
                "permalink": format!("https://acme.sentry.io/issues/{issue}/"),
                "project": {"id": "4505", "name": "Backend API", "slug": "backend-api"},
                "issueCategory": "error",
                "count": "1",
                "firstSeen": "2025-11-23T13:51:02.123456Z",
                "lastSeen": "2025-11-23T13:51:02.123456Z",
            },
        },
    })
}
