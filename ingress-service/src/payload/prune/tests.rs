use serde_json::json;

use super::*;

const PAIR: &Wanted = &Wanted { fields: &[("a", SCALAR)], items: Some(SCALAR), also: None };
const TREE: &Wanted = &Wanted::object(&[("x", SCALAR), ("pair", PAIR), ("pairs", &Wanted::list(PAIR))]);

fn pruned(text: &str) -> Value {
    prune(text.as_bytes(), TREE).expect("JSON")
}

#[test]
fn keeps_what_is_named_and_the_type_of_the_rest() {
    assert_eq!(pruned(r#"{"x":1.5,"y":[{}],"pair":{"a":"b","c":1}}"#), json!({"x":1.5,"pair":{"a":"b"}}));
    assert_eq!(pruned(r#"{"x":{"deep":[1]},"pair":[1,[2]]}"#), json!({"x":{},"pair":[1,[]]}));
    assert_eq!(pruned(r#"{"pairs":[["k","v"],{"a":null},7]}"#), json!({"pairs":[["k","v"],{"a":null},7]}));
    assert_eq!(pruned(r#"{"x":1,"x":"last"}"#), json!({"x":"last"}));
    for scalar in ["null", "true", "-1", "\"s\"", "[]", " {} "] {
        assert_eq!(pruned(scalar), serde_json::from_str::<Value>(scalar).expect("JSON"));
    }
}

#[test]
fn of_a_long_array_the_last_items_are_kept() {
    for length in [KEPT_ITEMS + 1, 2 * KEPT_ITEMS, 2 * KEPT_ITEMS + 1, 2_000] {
        let value = pruned(&json!({ "pair": (0..length).collect::<Vec<_>>() }).to_string());
        assert_eq!(value["pair"], json!((length - KEPT_ITEMS..length).collect::<Vec<_>>()), "{length}");
    }
}

#[test]
fn what_is_not_json_is_told_from_what_is_merely_odd() {
    for bad in [
        &b""[..],
        b" ",
        b"{",
        b"{}x",
        b"{'a':1}",
        b"{\"x\":NaN}",
        b"{\"x\":01}",
        b"\xef\xbb\xbf{}",
        b"{\"y\":\"\xff\"}",
        b"{\"y\":\"\\ud8\"}",
        b"\"\n\"",
    ] {
        assert_eq!(prune(bad, TREE), Err(PayloadError::NotJson), "{}", String::from_utf8_lossy(bad));
    }
    assert_eq!(pruned(r#"{"x":"\ud83d!","\udc00":1}"#), json!({"x":"\u{fffd}!"}));
    assert_eq!(pruned(r#"{"x":-1e999,"y":1e999}"#), json!({"x":-1e308}));
}

#[test]
fn nesting_costs_no_stack() {
    let deep = "[".repeat(1_000_000);
    assert_eq!(prune(deep.as_bytes(), TREE), Err(PayloadError::NotJson));
    let closed = format!("{{\"x\":{deep}{}}}", "]".repeat(1_000_000));
    assert_eq!(pruned(&closed), json!({"x":[]}));
}
