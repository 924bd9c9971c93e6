use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;

fn glob(text: &str) -> Glob {
    text.parse().expect("a pattern")
}

/// The definition of a pattern, as slow as it is short.
fn obviously_matches(glob: &[char], text: &[char]) -> bool {
    match (glob, text) {
        ([], []) => true,
        (['*', glob @ ..], _) => (0..=text.len()).any(|taken| obviously_matches(glob, &text[taken..])),
        ([one, glob @ ..], [other, text @ ..]) => one == other && obviously_matches(glob, text),
        _ => false,
    }
}

#[test]
fn a_star_is_any_text_and_all_else_is_itself() {
    for (pattern, text) in [
        ("api", "api"),
        ("api-*", "api-"),
        ("*-api", "web-api"),
        ("*a*b", "xaab"),
        ("**", ""),
        ("a*a", "aa"),
        ("é*ß", "é🦀ß"),
        ("[a-z]?", "[a-z]?"),
    ] {
        assert!(glob(pattern).matches(text), "{pattern} {text}");
    }
    for (pattern, text) in
        [("api", "api2"), ("api", "API"), ("api-*", "api"), ("a*a", "a"), ("*a*b", "ba"), ("a?", "ab")]
    {
        assert!(!glob(pattern).matches(text), "{pattern} {text}");
    }
}

#[test]
fn a_pattern_is_one_to_a_hundred_characters_of_one_line() {
    assert_eq!(glob(" api-* ").as_ref(), "api-*");
    assert_eq!(glob(&"é".repeat(100)).to_string(), "é".repeat(100));
    for (text, why) in [
        ("", InvalidGlob::Empty),
        (" \n ", InvalidGlob::Empty),
        ("a\nb", InvalidGlob::ControlCharacter),
        ("a\0", InvalidGlob::ControlCharacter),
        (&"a".repeat(101), InvalidGlob::TooLong),
    ] {
        assert_eq!(text.parse::<Glob>(), Err(why), "{text:?}");
    }
    assert!(serde_json::from_str::<Glob>(r#""""#).is_err(), "a stored one is checked too");
}

#[test]
fn a_hundred_stars_cost_no_more_than_a_few_looks_at_the_text() {
    let text = "a".repeat(1_024);
    let began = Instant::now();
    for pattern in ["*".repeat(100), "a*".repeat(49) + "b*", "*a".repeat(49) + "*b"] {
        assert_eq!(glob(&pattern).matches(&text), !pattern.contains('b'));
    }
    // Trying each place for each star would outlast the universe.
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
}

proptest! {
    #[test]
    fn it_matches_what_its_definition_matches(pattern in "[ab*é]{1,8}", text in "[abé]{0,8}") {
        let chars = |text: &str| text.chars().collect::<Vec<_>>();
        let expected = obviously_matches(&chars(&pattern), &chars(&text));
        prop_assert_eq!(glob(&pattern).matches(&text), expected);
    }

    #[test]
    fn it_covers_a_pattern_if_it_matches_each_of_its_texts(one in "[ab*]{1,5}", other in "[ab*]{1,4}") {
        // A third letter, so that not all texts are of letters that the first has.
        let texts = (0..4_u32).flat_map(|length| (0..3_usize.pow(length)).map(move |number| {
            (0..length).map(|place| ['a', 'b', 'c'][number / 3_usize.pow(place) % 3]).collect::<String>()
        }));
        // With at most four characters, a text of each star's length up to three says it.
        let stars = other.matches('*').count();
        let covered = texts.collect::<Vec<_>>().iter().all(|text| {
            let instance = (0..stars).fold(other.clone(), |made, _| made.replacen('*', text, 1));
            glob(&one).matches(&instance)
        });
        prop_assert_eq!(glob(&one).covers(&glob(&other)), covered);
    }
}
