use super::*;

fn session() -> Resumable {
    let user = serde_json::from_str(r#"{"id":"1"}"#).expect("a user");
    let ready = Ready { session_id: "s".to_owned(), resume_gateway_url: "ws://x".to_owned(), user };
    Resumable::new(ready, 7)
}

/// The events up to the tenth that a successor hears again, and those of them that it handles.
fn heard_again(kept: &Resumable) -> (Vec<u64>, Vec<u64>) {
    let again = kept.seq + 1..=10;
    (again.clone().collect(), again.filter(|event| !kept.was_handled(*event)).collect())
}

#[test]
fn a_successor_handles_what_was_left_and_what_is_new() {
    assert_eq!(heard_again(&session().leaving([].into())), (vec![8, 9, 10], vec![8, 9, 10]));
    let kept = session().leaving([5].into());
    assert_eq!(heard_again(&kept), (vec![5, 6, 7, 8, 9, 10], vec![5, 8, 9, 10]));
}

#[test]
fn a_successor_that_dies_while_it_hears_again_leaves_the_rest_to_the_next() {
    let mut second = Resumable { seq: 10, ..session() }.leaving([3, 9].into());
    second.seq = 5;
    assert_eq!(heard_again(&second.clone().leaving([3].into())).1, [3, 9]);
    assert_eq!(heard_again(&second.leaving([].into())), (vec![6, 7, 8, 9, 10], vec![9]));
}
