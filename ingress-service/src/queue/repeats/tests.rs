use async_nats::{HeaderMap as Headers, datetime::DateTime};

use super::*;

fn identity(noted: NoteKind) -> RequestIdentity {
    RequestIdentity { channel: ChannelId::new(42), id: "a1".to_owned(), noted }
}

/// A note that was written at the beginning of 1970.
fn noted(payload: &'static str) -> StreamMessage {
    StreamMessage {
        subject: "seen".into(),
        sequence: 9,
        headers: Headers::new(),
        payload: payload.into(),
        time: DateTime::UNIX_EPOCH,
    }
}

#[test]
fn a_state_is_a_repeat_for_ten_minutes_and_a_signed_body_for_as_long_as_its_note() {
    let state = identity(NoteKind::State(StateSubject { kind: "issue", id: "61".to_owned() }));
    let same = noted(r#"{"sha256":"a1","stored":3}"#);
    let id = |found: Option<&StreamMessage>, identity: &RequestIdentity, now_ms| {
        identity.unless_repeat(found, now_ms).map(|place| (place.message_id, place.revision))
    };
    assert_eq!(id(Some(&same), &state, 599_999), None);
    let (followed, first) = (Some(("42-a1-9".to_owned(), 9)), Some(("42-a1-0".to_owned(), 0)));
    assert_eq!(id(Some(&same), &state, 600_000), followed);
    for other in [r#"{"sha256":"b2","stored":3}"#, "", "garbage"] {
        assert_eq!(id(Some(&noted(other)), &state, 1), followed, "{other}");
    }
    assert_eq!(id(None, &state, 1), first);

    let signed = identity(NoteKind::Signed);
    assert_eq!(id(Some(&noted("")), &signed, i64::MAX), None);
    assert_eq!(id(None, &signed, 1), Some(("42-a1".to_owned(), 0)));
    assert_eq!(id(None, &identity(NoteKind::Nothing), 1), Some(("a1".to_owned(), 0)));
}
