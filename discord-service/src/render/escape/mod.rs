//! Foreign text as prose, where Discord reads markdown.
//!
//! A backslash goes before all that would begin markup: emphasis, code, spoilers,
//! mentions, times, links, and names of emoji. At the start of a line headings, quotes
//! and lists get one too. Raw text, as in a phone's notification, has few backslashes.
//! An underscore within a word and a colon before a blank get none. Neither do a single
//! bar or tilde, the `@` of an address, and a backslash before a letter.

use super::size::{cut, units};

/// One [`clean`](super::clean::clean) line, shown as it is.
pub(super) fn prose(line: &str) -> String {
    let chars: Vec<char> = line.chars().collect();
    let mut escaped = String::with_capacity(line.len());
    for (at, c) in chars.iter().enumerate() {
        if is_markup(&chars, at) {
            escaped.push('\\');
        }
        escaped.push(*c);
    }
    escaped
}

/// The same, cut so that it has at most `max` units with its backslashes.
pub(super) fn prose_within(line: &str, max: usize) -> String {
    let mut room = max;
    loop {
        let escaped = prose(&cut(line, room));
        let excess = units(&escaped).saturating_sub(max);
        if excess == 0 {
            return escaped;
        }
        // Each character may take a backslash with it.
        room = room.saturating_sub(excess.div_ceil(2));
    }
}

fn is_markup(chars: &[char], at: usize) -> bool {
    let (before, rest) = chars.split_at(at);
    let [c, rest @ ..] = rest else { return false };
    let joins = |c: Option<&char>| c.is_some_and(char::is_ascii_alphanumeric);
    match c {
        '*' | '`' | '[' => true,
        // Before a letter or digit it is shown as it is.
        '\\' => !joins(rest.first()),
        '~' | '|' => before.last() == Some(c) || rest.first() == Some(c),
        '<' => !matches!(rest.first(), Some(' ' | '=')),
        '@' => before.last() == Some(&'<') || begins_with_group(rest),
        '_' => !(joins(before.last()) && joins(rest.first())),
        ']' => rest.first() == Some(&'('),
        ':' => rest.starts_with(&['/', '/']) || has_another_colon(rest),
        '>' | '#' | '-' | '+' => before.is_empty() && !joins(rest.first()),
        '.' | ')' => {
            let is_number = !before.is_empty() && before.iter().all(char::is_ascii_digit);
            is_number && rest.first().is_some_and(|c| c.is_whitespace())
        }
        _ => false,
    }
}

/// Whether it is `@everyone` or `@here`.
fn begins_with_group(after_at: &[char]) -> bool {
    let begins = |name: &str| {
        let letters = after_at.iter().map(char::to_ascii_lowercase);
        letters.take(name.len()).eq(name.chars())
    };
    begins("everyone") || begins("here")
}

/// Whether it may be `:x:`, which is shown as an emoji.
fn has_another_colon(after_colon: &[char]) -> bool {
    after_colon.iter().find(|c| **c == ':' || c.is_whitespace()) == Some(&':')
}

#[cfg(test)]
mod tests;
