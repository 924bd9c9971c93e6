use shared::refusal::Reason;

use super::*;

#[test]
fn an_alert_that_a_rule_took_away_was_received() {
    let sorting = br#"{"counts": {"rules": {"1": {"count": 2, "last_ms": 30}},
        "mutes": {"4": {"count": 1, "last_ms": 50}}, "dropped": 2, "muted": 1}}"#;
    let record = br#"{"hits": {"2": {"count": 9, "last_ms": 90}}}"#;
    let tally = Tally { posted: 9, posted_ms: Some(90), received_ms: Some(40) };
    let rule_counts = counts::read(Some(sorting), Some(record));
    let findings = Findings { tally, rule_counts, ..Findings::default() };
    assert_eq!(findings.last_received_ms(), Some(50), "one that is kept is posted later");
}

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
