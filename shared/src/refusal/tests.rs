use super::*;

#[test]
fn a_note_is_read_as_it_was_written_and_a_newer_ingress_may_know_more() {
    let mut note = Refusal::new(Reason::Schema, "body: breaks /required at \"\"", 5);
    note.again(Refusal::new(Reason::Schema, "body: breaks /type at \"\"", 7));
    assert_eq!((note.times, note.at_ms), (2, 7));
    assert_eq!(Refusal::decode(&note.encode()), Some(note));
    let newer = br#"{"v":1,"at_ms":5,"times":2,"reason":"full_moon","phase":1}"#;
    assert_eq!(Refusal::decode(newer).map(|note| note.reason), Some(Reason::Other));
    assert_eq!(Refusal::decode(br#"{"v":2,"at_ms":5,"times":2,"reason":"schema"}"#), None);
    assert_eq!(Refusal::decode(b"garbage"), None);
}

#[test]
fn a_line_is_one_token() {
    let line = |reason, rule| Refusal::new(reason, rule, 5).line();
    assert_eq!(line(Reason::NotJson, "body: not JSON"), "not_json");
    assert_eq!(line(Reason::Query, "query: no id"), "query");
    assert_eq!(line(Reason::Token, "token: not this channel's"), "token-token__not_this_channel_s");
    assert_ne!(line(Reason::Token, "token: missing"), line(Reason::Token, "token: the channel has none"));
}

#[test]
fn what_is_for_the_operator_stays_out() {
    for reason in [Reason::Source, Reason::QueueUnavailable, Reason::Internal] {
        assert_eq!(Refusal::new(reason, "source: 192.0.2.1 is not allowed", 5).detail, None);
    }
}
