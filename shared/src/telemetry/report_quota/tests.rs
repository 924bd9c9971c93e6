use super::*;

fn event(message: String) -> Event<'static> {
    Event { message: Some(message), ..Event::default() }
}

fn sent(quota: &Quota, messages: impl Iterator<Item = String>) -> usize {
    messages.filter(|message| quota.admits(&event(message.clone()))).count()
}

#[test]
fn a_failure_that_repeats_leaves_room_for_another() {
    let quota = Quota::default();
    assert_eq!(sent(&quota, (0..1_000).map(|_| "one".to_owned())), 3);
    assert_eq!(sent(&quota, std::iter::once("another".to_owned())), 1);
}

#[test]
fn failures_of_ever_new_kinds_are_bounded() {
    let quota = Quota::default();
    assert_eq!(sent(&quota, (0..10_000).map(|number| number.to_string())), 30);
    assert!(quota.kinds.len() <= KINDS);
}
