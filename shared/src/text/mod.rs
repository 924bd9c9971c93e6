//! Cuts text, and keeps what can be shown.

#[cfg(test)]
mod tests;

use std::borrow::Cow;

/// Marks where text was cut.
pub const ELLIPSIS: char = '…';

/// `text`, or its beginning and [`ELLIPSIS`] so that it has at most `max`
/// Unicode scalar values.
pub fn cut(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        None => text.to_owned(),
        Some(_) if max == 0 => String::new(),
        Some(_) => {
            let mut kept: String = text.chars().take(max - 1).collect();
            kept.truncate(kept.trim_end().len());
            kept.push(ELLIPSIS);
            kept
        }
    }
}

/// `text` without control characters, but for line feeds and tabs.
pub fn printable(text: &str) -> Cow<'_, str> {
    let goes = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    if text.contains(goes) { Cow::Owned(text.replace(goes, "")) } else { Cow::Borrowed(text) }
}

/// The error with its causes, each once. Some libraries repeat the cause in
/// their own text.
pub fn chain(error: &anyhow::Error) -> String {
    error.chain().map(ToString::to_string).fold(String::new(), |said, reason| match said.as_str() {
        "" => reason,
        known if known.contains(&reason) => said,
        known => format!("{known}: {reason}"),
    })
}
