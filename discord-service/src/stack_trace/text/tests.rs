use proptest::prelude::*;
use shared::alert::{MAX_CAUSES, MAX_FRAMES};

use super::*;

fn frame(file: &str, line: u64, function: &str, source: &str) -> Frame {
    let kept = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Frame { file: file.to_owned(), line: Some(line), function: kept(function), source: kept(source) }
}

#[test]
fn the_cause_comes_first_and_then_the_newest_call() {
    let frames =
        [frame("shop/cart.py", 41, "price", "  return table[sku]"), frame("shop/views.py", 12, "", "")];
    let causes = ["KeyError: 'sku'".to_owned()];
    assert_eq!(
        block(Some("OrderError: no price"), &causes, &frames),
        "```\nKeyError: 'sku'\nled to OrderError: no price\n\nshop/cart.py:41 in price\n    \
         return table[sku]\nshop/views.py:12\n```"
    );
}

#[test]
fn the_oldest_calls_are_left_out_where_there_is_no_room() {
    let frames: Vec<_> = (1..=10).map(|n| frame(&"f".repeat(300), n, "", &"s".repeat(300))).collect();
    let text = block(None, &[], &frames);
    assert!(text.ends_with("\n… and 5 more\n```"), "{text}");
    assert_eq!(text.matches("    s").count(), 5);
}

proptest! {
    #[test]
    fn nothing_foreign_leaves_the_code_block_and_it_fits_a_message(
        title in "\\PC{0,300}|[`*@<\n\r\u{202E}a]{0,60}",
        causes in prop::collection::vec("\\PC{0,300}|`{0,9}\n", 0..=MAX_CAUSES),
        texts in prop::collection::vec(("(?s).{0,300}", "[`\n@a]{0,20}|\\PC{0,300}"), 1..=MAX_FRAMES),
    ) {
        let frames: Vec<_> = texts.iter().map(|(file, source)| frame(file, 1, file, source)).collect();
        let text = block(Some(&title), &causes, &frames);
        prop_assert!(text.encode_utf16().count() <= MAX_CHARS);
        prop_assert!(text.starts_with("```\n") && text.ends_with("\n```"));
        prop_assert!(!text[3..text.len() - 3].contains('`'), "{text}");
    }
}
