use serde_json::json;

use super::*;

#[test]
fn states_are_those_of_issues_metric_alerts_and_changed_comments() {
    let of = |resource, action, data: &Value| {
        StateSubject::of(resource, action, data).map(|state| format!("{}.{}", state.kind, state.id))
    };
    let data = json!({
        "issue": {"id": "61"}, "comment_id": 7,
        "metric_alert": {"id": 12, "alert_rule": {"id": 3}},
    });
    for (resource, action, expected) in [
        ("issue", "resolved", Some("issue.61")),
        ("issue", "created", Some("issue.61")),
        ("metric_alert", "critical", Some("metric_alert.12")),
        ("metric_alert", "warning", Some("metric_alert.12")),
        ("comment", "updated", Some("comment.7")),
        ("comment", "created", None),
        ("comment", "deleted", None),
        ("event_alert", "triggered", None),
        ("activity_alert", "triggered", None),
        ("seer", "pr_created", None),
    ] {
        assert_eq!(of(resource, action, &data).as_deref(), expected, "{resource}.{action}");
    }
    let old = json!({"metric_alert": {"alert_rule": {"id": 3}}});
    assert_eq!(of("metric_alert", "critical", &old).as_deref(), Some("metric_alert.3"));
}

#[test]
fn an_id_is_one_token_of_a_subject_whatever_it_holds() {
    for hostile in [json!(">"), json!("a.b"), json!("*"), json!("a b"), json!(""), json!("9".repeat(41))] {
        let state =
            StateSubject::of("issue", "created", &json!({"issue": {"id": hostile}})).expect("a state");
        assert!(state.id.len() == 64 && state.id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{hostile}");
    }
    let none = StateSubject::of("issue", "created", &json!({"issue": null})).expect("a state");
    assert_eq!(none.id.len(), 64);
}
