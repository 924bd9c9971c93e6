//! Cutting text to a number of characters, and what of it can be shown.

use std::borrow::Cow;

/// What stands where text was cut.
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

/// What went wrong and why, each reason once: some errors of libraries repeat
/// theirs in their own words.
pub fn chain(error: &anyhow::Error) -> String {
    error.chain().map(ToString::to_string).fold(String::new(), |said, reason| match said.as_str() {
        "" => reason,
        known if known.contains(&reason) => said,
        known => format!("{known}: {reason}"),
    })
}

#[cfg(test)]
mod tests {
    use super::{chain, cut, printable};

    #[test]
    fn a_reason_is_said_once() {
        let error = anyhow::anyhow!("no stream").context("failed: no stream").context("cannot look");
        assert_eq!(chain(&error), "cannot look: failed: no stream");
    }

    #[test]
    fn control_characters_go_and_lines_stay() {
        assert_eq!(printable("a\u{0}\u{1b}[31mb\r\n\tc\u{7f}\u{85}"), "a[31mb\n\tc");
        assert_eq!(printable("é😀\u{200d}"), "é😀\u{200d}");
    }

    #[test]
    fn cuts_by_characters_and_marks_the_cut() {
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("abcd", 3), "ab…");
        assert_eq!(cut("ab d", 3), "ab…");
        assert_eq!(cut("a  d", 3), "a…");
        assert_eq!(cut("ééé", 2), "é…");
        assert_eq!(cut("abc", 0), "");
        assert_eq!(cut("", 0), "");
    }
}
