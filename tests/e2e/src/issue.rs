//! Webhooks of an internal integration about issues.

use sentry_sender::Webhook;
use serde_json::{Value, json};

/// The webhook of an action on this issue: `created`, `resolved`, `assigned`, … An
/// `actor` that is empty is Sentry itself.
pub fn issue_change(issue: &str, title: &str, action: &str, actor: &str) -> Webhook {
    Webhook::platform("issue", issue_body(issue, title, action, actor).to_string())
}

/// The same, of an issue that came back by itself.
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
