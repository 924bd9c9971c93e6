use super::*;

#[test]
fn cuts_by_utf16_units_and_marks_the_cut_once() {
    assert_eq!(cut("abc", 3), "abc");
    assert_eq!(cut("abcd", 3), "ab…");
    assert_eq!(cut("a  d", 3), "a…");
    assert_eq!(cut("ab…def", 4), "ab…");
    assert_eq!(cut("😀😀", 4), "😀😀");
    assert_eq!(cut("😀😀😀", 4), "😀…");
    assert_eq!(cut("😀a", 2), "…");
    assert_eq!(cut("abc", 1), "…");
    assert_eq!(cut("abc", 0), "");
    assert_eq!(cut("", 0), "");
}

#[test]
fn the_longest_gives_first() {
    assert_eq!(fair_share(&mut [5, 100, 40], 145), None);
    assert_eq!(fair_share(&mut [5, 100, 40], 144), Some(99));
    assert_eq!(fair_share(&mut [5, 100, 40], 45), Some(20));
    assert_eq!(fair_share(&mut [5, 100, 40], 9), Some(3));
    assert_eq!(fair_share(&mut [], 0), None);
}
