use serde_json::{json, to_value};

use super::*;

fn offered(known: &[&str], typed: &str) -> Vec<String> {
    let known = known.iter().map(|name| (*name).to_owned()).collect();
    names(known, typed).into_iter().map(|choice| choice.name).collect()
}

#[test]
fn what_is_typed_is_offered_beside_the_known_names_that_contain_it() {
    let known = ["web-shop", "api", "Web"];
    assert_eq!(offered(&known, ""), known);
    assert_eq!(offered(&known, " we"), ["we", "web-shop", "Web"]);
    assert_eq!(offered(&known, "api"), ["api"]);
    assert_eq!(offered(&known, "web-*"), ["web-*"]);
    assert_eq!(offered(&[], &"x".repeat(200))[0].chars().count(), 100);
    let many: Vec<_> = (0..25).map(|number| format!("web-{number}")).collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    assert_eq!(offered(&many, "web").len(), 25, "as many as Discord takes");
}

#[test]
fn a_number_is_offered_with_its_words_and_is_a_number() {
    let words = || [(1, "all alerts → <#5>".to_owned()), (2, "`web` → dropped".to_owned())].into_iter();
    let shown = |typed| to_value(numbered(words(), typed)).expect("JSON");
    let two = json!({"name": "2: web → dropped", "value": 2});
    assert_eq!(shown(""), json!([{"name": "1: all alerts → #5", "value": 1}, two]));
    assert_eq!(shown("WEB"), json!([two]));
    assert_eq!(shown("2"), json!([two]));
}
