use shared::refusal::Reason;

use super::*;

#[test]
fn what_comes_often_pushes_out_no_other_refusal() {
    let note = |reason, rule, at_ms| Refusal::new(reason, rule, at_ms);
    let mut notes = vec![note(Reason::BacklogFull, "", 1), note(Reason::Token, "token: missing", 2)];
    notes.extend((10..20).map(|at_ms| note(Reason::Token, "token: not this channel's", at_ms)));
    let times = |notes: Vec<Refusal>| last(notes).iter().map(|note| note.at_ms).collect::<Vec<_>>();
    assert_eq!(times(notes.clone()), [19, 18, 17, 2, 1]);
    for (reason, at_ms) in
        [Reason::Query, Reason::Schema, Reason::NotJson, Reason::TooLarge].into_iter().zip(30..)
    {
        notes.push(note(reason, "", at_ms));
    }
    assert_eq!(times(notes), [33, 32, 31, 30, 19, 2, 1]);
}
