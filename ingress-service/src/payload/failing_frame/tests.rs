use serde_json::json;

use super::*;

fn file(event: &Value) -> Option<String> {
    failing(event).map(|frame| frame.file)
}

fn stack(files: &[(&str, bool)]) -> Value {
    let frames: Vec<_> = files.iter().map(|(file, own)| json!({"filename": file, "in_app": own})).collect();
    json!({ "frames": frames })
}

#[test]
fn the_innermost_frame_of_the_users_code_wins() {
    let last = json!({"stacktrace": stack(&[("outer", true), ("inner", true), ("library", false)])});
    let cause = json!({"stacktrace": stack(&[("cause", true)])});
    assert_eq!(file(&json!({"exception": {"values": [cause, last]}})).as_deref(), Some("inner"));
    let library = json!({"stacktrace": stack(&[("a", false), ("b", false)])});
    assert_eq!(file(&json!({"exception": {"values": [cause, library]}})).as_deref(), Some("cause"));
    assert_eq!(file(&json!({"exception": [library]})).as_deref(), Some("b"));
}

#[test]
fn other_places_are_asked_when_the_exceptions_have_no_stack() {
    let without = json!({"values": [{"type": "E", "stacktrace": null}]});
    let threads = json!({"values": [
        {"stacktrace": stack(&[("idle", true)])}, {"crashed": true, "stacktrace": stack(&[("crashed", true)])},
    ]});
    assert_eq!(file(&json!({"exception": without, "threads": threads})).as_deref(), Some("crashed"));
    let own = stack(&[("own", false)]);
    assert_eq!(file(&json!({"threads": threads, "stacktrace": own})).as_deref(), Some("own"));
    assert_eq!(file(&json!({"sentry.interfaces.Stacktrace": own})).as_deref(), Some("own"));
    assert_eq!(file(&json!({"threads": {"values": [{"stacktrace": own}]}})), None);
    assert_eq!(file(&json!({"exception": "x", "threads": [1], "stacktrace": {"frames": [null, 1]}})), None);
}
