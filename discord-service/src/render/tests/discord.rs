//! Discord's limits from its documentation, written down once more and apart from the
//! code under test.

use serde_json::Value;

use super::markdown::loose_markdown;

/// Takes out the joiners that stand between two pictures.
fn without_joined_emoji(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let picture = |at: Option<usize>| at.and_then(|at| chars.get(at)).is_some_and(|&c| c >= '\u{A6}');
    let kept =
        |&(at, c): &(usize, &char)| *c != '\u{200D}' || !picture(at.checked_sub(1)) || !picture(Some(at + 1));
    chars.iter().enumerate().filter(kept).map(|(_, c)| *c).collect()
}

/// Every way in which Discord would refuse this embed, or an attacker's text
/// would do harm in it.
pub(super) fn faults(embed: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    let mut check = |place: &str, text: &str, most: usize| {
        if text.trim().is_empty() || text.trim() != text {
            faults.push(format!("{place} is empty or has blanks at its ends: {text:?}"));
        }
        if text.encode_utf16().count() > most {
            faults.push(format!("{place} is longer than {most}"));
        }
        let apart = without_joined_emoji(text);
        if let Some(c) = apart.chars().find(|&c| c != '\n' && is_harmful(c)) {
            faults.push(format!("{place} holds U+{:04X}", u32::from(c)));
        }
    };
    check("title", text(embed, "/title"), 256);
    for (place, at, most) in [("description", "/description", 4096), ("author", "/author/name", 256)] {
        if let Some(text) = embed.pointer(at).and_then(Value::as_str) {
            check(place, text, most);
        }
    }
    if let Some(footer) = embed.pointer("/footer/text").and_then(Value::as_str) {
        check("footer", footer, 2048);
    }
    for field in fields(embed) {
        check("field name", text(field, "/name"), 256);
        check(text(field, "/name"), text(field, "/value"), 1024);
    }
    if fields(embed).len() > 25 {
        faults.push("more than 25 fields".to_owned());
    }
    faults.extend(loose_markdown(embed));
    if has_null(embed) {
        faults.push(format!("null, which no part of an embed may be: {embed}"));
    }
    faults
}

/// Whether anything in it is null: Discord documents no part of a message that may be.
pub(super) fn has_null(json: &Value) -> bool {
    match json {
        Value::Null => true,
        Value::Array(items) => items.iter().any(has_null),
        Value::Object(members) => members.values().any(has_null),
        _ => false,
    }
}

/// What Discord counts towards 6,000: by code points and by UTF-16 units.
pub(super) fn counted(embed: &Value) -> (usize, usize) {
    let mut texts = vec![text(embed, "/title"), text(embed, "/description")];
    texts.extend(
        ["/footer/text", "/author/name"].iter().filter_map(|at| embed.pointer(at).and_then(Value::as_str)),
    );
    texts.extend(fields(embed).iter().flat_map(|field| [text(field, "/name"), text(field, "/value")]));
    let all = texts.concat();
    (all.chars().count(), all.encode_utf16().count())
}

pub(super) fn fields(embed: &Value) -> &[Value] {
    embed.get("fields").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

pub(super) fn field<'a>(embed: &'a Value, name: &str) -> Option<&'a str> {
    fields(embed).iter().find(|field| text(field, "/name") == name).map(|field| text(field, "/value"))
}

pub(super) fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// Characters that are not seen or that change how others are seen: controls,
/// separators, zero-width characters, bidi controls, fillers, variation
/// selectors, tags.
fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(u32::from(c),
            0xAD | 0x34F | 0x61C | 0x115F | 0x1160 | 0x17B4 | 0x17B5 | 0x180B..=0x180F | 0x200B..=0x200F
            | 0x2028..=0x202E | 0x2060..=0x206F | 0x2800 | 0x3164 | 0xFE00..=0xFE0F | 0xFEFF | 0xFFA0
            | 0xFFF0..=0xFFFB | 0x1BCA0..=0x1BCA3 | 0x1D173..=0x1D17A | 0xE0000..=0xE0FFF)
}
