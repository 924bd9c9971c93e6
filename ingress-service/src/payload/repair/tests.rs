use super::*;

#[test]
fn replaces_only_what_cannot_be_held() {
    for (json, expected) in [
        (r#"{"a":[1,-2.5e3,"1e999"]}"#, r#"{"a":[1,-2.5e3,"1e999"]}"#),
        (r#"[1e999,-1E+400]"#, r#"[1e308,-1e308]"#),
        (r#"["\ud83d\ude00 \u00e9 é 😀 \\ud800 \"\\"]"#, r#"["\ud83d\ude00 \u00e9 é 😀 \\ud800 \"\\"]"#),
        (
            r#"["\ud83d","\ude00\ud83d","\ud83dx","\uD83D\n"]"#,
            r#"["\ufffd","\ufffd\ufffd","\ufffdx","\ufffd\n"]"#,
        ),
        (r#"["\ud83d\ud83d\ude00"]"#, r#"["\ufffd\ud83d\ude00"]"#),
    ] {
        assert_eq!(repair(json), expected);
    }
}

#[test]
fn broken_text_ends() {
    for broken in ["\"\\", "\"\\u", "\"\\ud8", "\"\\ué", "-", "\"\\é"] {
        let _ = repair(broken);
    }
}
