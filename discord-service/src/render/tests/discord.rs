//! Discord's rules, written down once more and apart from the code under test:
//! its limits from its documentation, and what its clients take for markdown.

use serde_json::Value;

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
    check("description", text(embed, "/description"), 4096);
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

/// Foreign text where markdown would be read.
fn loose_markdown(embed: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    let description = text(embed, "/description");
    let slug = description.strip_suffix('…').unwrap_or(description);
    if !is_code(description)
        && (slug.contains("__") || slug.contains(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c))))
    {
        faults.push(format!("markdown in the description: {description:?}"));
    }
    for field in fields(embed) {
        let (name, value) = (text(field, "/name"), text(field, "/value"));
        let harmless = match name {
            "Alerts" => {
                value.starts_with('×')
                    && value.chars().skip(1).all(|c| c.is_ascii_alphanumeric() || " :-".contains(c))
            }
            "First message" => is_plain_link(value),
            "URL" => is_code(value) || is_plain_link(value),
            _ => value.lines().all(is_code),
        };
        if !harmless {
            faults.push(format!("{name} is no code: {value:?}"));
        }
    }
    let footer = embed.pointer("/footer/text").and_then(Value::as_str).unwrap_or_default();
    if ["@", "](", "://", "`"].iter().any(|mark| footer.contains(mark)) {
        faults.push(format!("footer: {footer:?}"));
    }
    faults
}

/// Exactly one span of inline code: Discord ends a span at the first run of as
/// many backticks as it began with.
pub(super) fn is_code(text: &str) -> bool {
    let fence: String = text.chars().take_while(|&c| c == '`').collect();
    let inner = text.strip_prefix(&fence).and_then(|rest| rest.strip_suffix(&fence));
    fence.len() == 1 && inner.is_some_and(|inner| !inner.trim().is_empty() && !inner.contains('`'))
}

/// A link as Discord recognises one by itself, and nothing else beside it.
fn is_plain_link(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) else {
        return false;
    };
    let (host, tail) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host_is_one = host.contains('.') || host.starts_with('[');
    host_is_one
        && !host.contains('@')
        && !tail.is_empty()
        && tail.chars().all(|c| c.is_ascii_graphic() && !"`<>()[]{}*|\\\"'^".contains(c))
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
