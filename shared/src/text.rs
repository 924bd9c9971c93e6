//! Cutting text to a number of characters.

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

#[cfg(test)]
mod tests {
    use super::cut;

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
