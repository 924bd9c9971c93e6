use serde_json::json;

use super::*;

fn title(body: &Value) -> Option<String> {
    let outside = Outside {
        message: text(body, &["message"]),
        culprit: text(body, &["culprit"]),
        issue: text(body, &["id"]),
    };
    super::title(body.get("event")?, &outside)
}

#[test]
fn a_placeholder_is_never_the_title() {
    let mut body = json!({
        "id": "42", "message": "<unlabeled event>", "culprit": "jobs.run",
        "event": {"title": "<untitled>", "metadata": {"title": "<Unlabeled Event>", "type": "<unknown>"}},
    });
    assert_eq!(title(&body).as_deref(), Some("jobs.run"));
    body["culprit"] = json!("");
    assert_eq!(title(&body).as_deref(), Some("Issue 42"));
    body["event"]["contexts"] = json!({"monitor": {"slug": "nightly-backup"}});
    assert_eq!(title(&body).as_deref(), Some("nightly-backup"));
    body["event"]["contexts"]["feedback"] = json!({"message": "It broke"});
    assert_eq!(title(&body).as_deref(), Some("It broke"));
    body["event"]["metadata"]["title"] = json!("User Feedback");
    assert_eq!(title(&body).as_deref(), Some("User Feedback"));
    body["event"]["title"] = json!("The title");
    assert_eq!(title(&body).as_deref(), Some("The title"));
    body["event"]["occurrence"] = json!({"issueTitle": "N+1 Query"});
    assert_eq!(title(&body).as_deref(), Some("N+1 Query"));
}

#[test]
fn an_old_body_is_titled_by_its_last_exception_or_its_message() {
    let exception = json!({"values": [{"type": "Cause"}, {"type": "KeyError", "value": "'id'\nmore"}]});
    for name in ["exception", "sentry.interfaces.Exception"] {
        let body = json!({"message": "m", "event": {name: exception}});
        assert_eq!(title(&body).as_deref(), Some("KeyError: 'id'"));
    }
    let body = json!({"message": "first\nsecond", "culprit": "c", "event": {}});
    assert_eq!(title(&body).as_deref(), Some("first"));
    assert_eq!(title(&json!({"event": {}})), None);
}
