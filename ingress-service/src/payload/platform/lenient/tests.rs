use serde_json::json;

use super::*;

#[test]
fn ids_and_counts_are_numbers_or_text() {
    let id = |value| Maybe::<SentryId>::deserialize(value).expect("lenient").get().map(|id| id.0.clone());
    assert_eq!(id(json!(61)), Some("61".to_owned()));
    assert_eq!(id(json!("61")), Some("61".to_owned()));
    assert_eq!(id(json!([61])), None);
    let count = |value| Maybe::<Count>::deserialize(value).expect("lenient").get().map(|count| count.0);
    assert_eq!((count(json!("1841")), count(json!(3))), (Some(1841), Some(3)));
    assert_eq!((count(json!(-1)), count(json!("many")), count(json!(null))), (None, None, None));
}

#[test]
fn sentry_is_nobody_and_an_address_is_not_shown_whole() {
    let person = |actor| read::<Actor>(Some(&actor)).person();
    assert_eq!(person(json!({"type": "application", "id": "sentry", "name": "Sentry"})), None);
    assert_eq!(person(json!({"type": "user", "id": 7, "name": "Jane Doe"})).as_deref(), Some("Jane Doe"));
    assert_eq!(person(json!({"type": "user", "id": 7, "name": "jane@example.com"})).as_deref(), Some("jane"));
    assert_eq!(person(json!("Jane")), None);
}
