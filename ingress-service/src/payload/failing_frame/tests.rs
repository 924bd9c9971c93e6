use serde_json::json;

use super::*;

fn file(event: &Value) -> Option<String> {
    stack(event).into_iter().next().map(|frame| frame.file)
}

fn trace(files: &[(&str, bool)]) -> Value {
    let frames: Vec<_> = files.iter().map(|(file, own)| json!({"filename": file, "in_app": own})).collect();
    json!({ "frames": frames })
}

#[test]
fn the_innermost_frame_of_the_users_code_wins() {
    let last = json!({"stacktrace": trace(&[("outer", true), ("inner", true), ("library", false)])});
    let cause = json!({"stacktrace": trace(&[("cause", true)])});
    assert_eq!(file(&json!({"exception": {"values": [cause, last]}})).as_deref(), Some("inner"));
    let library = json!({"stacktrace": trace(&[("a", false), ("b", false)])});
    assert_eq!(file(&json!({"exception": {"values": [cause, library]}})).as_deref(), Some("cause"));
    assert_eq!(file(&json!({"exception": [library]})).as_deref(), Some("b"));
}

#[test]
fn other_places_are_asked_when_the_exceptions_have_no_stack() {
    let without = json!({"values": [{"type": "E", "stacktrace": null}]});
    let threads = json!({"values": [
        {"stacktrace": trace(&[("idle", true)])}, {"crashed": true, "stacktrace": trace(&[("crashed", true)])},
    ]});
    assert_eq!(file(&json!({"exception": without, "threads": threads})).as_deref(), Some("crashed"));
    let own = trace(&[("own", false)]);
    assert_eq!(file(&json!({"threads": threads, "stacktrace": own})).as_deref(), Some("own"));
    assert_eq!(file(&json!({"sentry.interfaces.Stacktrace": own})).as_deref(), Some("own"));
    assert_eq!(file(&json!({"threads": {"values": [{"stacktrace": own}]}})), None);
    assert_eq!(file(&json!({"exception": "x", "threads": [1], "stacktrace": {"frames": [null, 1]}})), None);
}

#[test]
fn the_callers_are_the_users_own_of_the_same_stack_and_at_most_nine() {
    let files = |event: &Value| stack(event).into_iter().map(|frame| frame.file).collect::<Vec<_>>();
    let last =
        trace(&[("main", true), ("library", false), ("view", true), ("price", true), ("lookup", false)]);
    let cause = trace(&[("other", true)]);
    let event = json!({"exception": [{"stacktrace": cause}, {"stacktrace": last}]});
    assert_eq!(files(&event), ["price", "view", "main"]);
    let unmarked: Vec<_> = (0..20).map(|line| json!({"filename": "f", "lineno": line + 1})).collect();
    let event = json!({"stacktrace": {"frames": unmarked}});
    let lines: Vec<_> = stack(&event).iter().filter_map(|frame| frame.line).collect();
    assert_eq!(lines, (11..=20).rev().collect::<Vec<_>>());
}

#[test]
fn a_native_frame_is_named_by_its_library_and_a_minified_one_by_its_file() {
    let native = json!({"package": "/usr/lib/libshop.so", "function": "shop::price(int)", "in_app": true});
    let stripped = json!({"package": "C:\\shop\\shop.exe", "function": "<redacted>", "in_app": true});
    let minified = json!({"filename": "/js/main.3f2c.js", "function": "?", "lineno": 2, "in_app": true});
    let event = json!({"stacktrace": {"frames": [minified, stripped, native]}});
    let shown: Vec<_> =
        stack(&event).into_iter().map(|frame| (frame.file, frame.function, frame.line)).collect();
    let named =
        |file: &str, function: Option<&str>, line| (file.to_owned(), function.map(str::to_owned), line);
    assert_eq!(
        shown,
        [
            named("libshop.so", Some("shop::price(int)"), None),
            named("shop.exe", None, None),
            named("/js/main.3f2c.js", None, Some(2))
        ]
    );
}

#[test]
fn causes_come_in_the_order_in_which_they_were_raised_without_the_last_and_without_groups() {
    let group =
        json!({"type": "ExceptionGroup", "value": "2 of them", "mechanism": {"is_exception_group": true}});
    let raised = [
        json!({"type": "KeyError", "value": "'sku'\nmore"}),
        group.clone(),
        json!({"type": "TimeoutError", "value": null}),
        json!({"type": null}),
        group,
    ];
    assert_eq!(causes(&json!({"exception": {"values": raised}})), ["KeyError: 'sku'", "TimeoutError"]);
    assert_eq!(causes(&json!({"exception": [{"type": "E"}]})), Vec::<String>::new());
    assert_eq!(causes(&json!({"exception": "x"})), Vec::<String>::new());
    let many: Vec<_> = (0..9).map(|number| json!({"type": format!("E{number}")})).collect();
    assert_eq!(causes(&json!({"exception": many})), ["E0", "E1", "E2", "E3"]);
}
