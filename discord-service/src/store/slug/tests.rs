use super::*;

#[test]
fn a_slug_is_one_to_a_hundred_safe_characters() {
    for good in ["a", "my-project_2.0", "UPPER", ".", &"x".repeat(100)] {
        assert_eq!(good.parse::<ProjectSlug>().map(String::from), Ok(good.to_owned()));
    }
    for bad in ["", " ", "a b", "a`b", "é", "a/b", "@here", "a\n", &"x".repeat(101)] {
        assert_eq!(bad.parse::<ProjectSlug>(), Err(InvalidSlug), "{bad:?}");
    }
}
