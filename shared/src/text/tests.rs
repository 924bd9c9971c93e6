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
