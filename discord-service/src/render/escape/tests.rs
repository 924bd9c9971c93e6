use super::{prose, prose_within};

#[test]
fn what_markdown_would_read_has_a_backslash_and_nothing_else_has() {
    for plain in [
        "KeyError: 'customer_id'",
        "orders.views in lookup (v1.2-rc+3)",
        "a -> b, c > d, e # f, list_of_int[",
        "10.5 seconds",
        "a <= b | c ~ d < e",
        "#991: -1 of jane@acme.example",
        r"C:\Users\1.txt, C:/x",
        "顧客_id… 😀",
    ] {
        let expected = plain.replace('[', r"\[").replace("客_", r"客\_");
        assert_eq!(prose(plain), expected);
    }
    for (text, escaped) in [
        ("*a* _b_ __c__ ~~d~~ ||e||", r"\*a\* \_b\_ \_\_c\_\_ \~\~d\~\~ \|\|e\|\|"),
        ("@everyone <@1> <t:1:R>", r"\@everyone \<\@1> \<t\:1:R>"),
        ("[x](https://evil.example)", r"\[x\](https\://evil.example)"),
        ("a::x::b :fire: a:b c:d", r"a\:\:x\::b \:fire: a:b c:d"),
        (r"C:\x\*", r"C:\x\\\*"),
        ("<@1> @HERE x@here ||| |~~", r"\<\@1> \@HERE x\@here \|\|\| |\~\~"),
        ("# a", r"\# a"),
        ("> a", r"\> a"),
        ("-# a", r"\-# a"),
        ("- a", r"\- a"),
        ("1. a 2. b", r"1\. a 2. b"),
    ] {
        assert_eq!(prose(text), escaped);
    }
}

#[test]
fn a_cut_text_keeps_its_backslashes_and_fits() {
    assert_eq!(prose_within("a_b", 3), "a_b");
    assert_eq!(prose_within("abc_def", 5), r"abc…");
    assert_eq!(prose_within("******", 5), r"\*\*…");
    for max in 0..40 {
        let escaped = prose_within("snake_case *and* <stars> ********", max);
        assert!(escaped.chars().count() <= max, "{max}: {escaped}");
    }
    assert_eq!(prose_within(&"*".repeat(100), 41), format!("{}…", r"\*".repeat(20)));
}
