use std::collections::BTreeSet;

use async_nats::{HeaderMap as Headers, datetime::DateTime};

use super::*;

fn identity(noted: NoteKind) -> RequestIdentity {
    RequestIdentity { channel: ChannelId::new(42), id: "a1".to_owned(), noted, part: None }
}

/// A note that was written a second after the beginning of 1970.
fn noted(payload: &'static str) -> StreamMessage {
    StreamMessage {
        subject: "seen".into(),
        sequence: 9,
        headers: Headers::new(),
        payload: payload.into(),
        time: DateTime::from_unix_timestamp(1).expect("a time"),
    }
}

#[test]
fn a_state_is_a_repeat_for_ten_minutes_and_a_signed_body_for_as_long_as_its_note() {
    let state = identity(NoteKind::State(StateSubject { kind: "issue", id: "61".to_owned() }));
    let same = noted(r#"{"sha256":"a1","stored":3}"#);
    let id = |found: Option<&StreamMessage>, identity: &RequestIdentity, now_ms| {
        identity.unless_repeat(found, now_ms).map(|place| (place.message_id, place.revision))
    };
    assert_eq!(id(Some(&same), &state, 600_999), None);
    let (followed, first) = (Some(("42-a1-9".to_owned(), 9)), Some(("42-a1-0".to_owned(), 0)));
    assert_eq!(id(Some(&same), &state, 601_000), followed);
    for other in [r#"{"sha256":"b2","stored":3}"#, "", "garbage"] {
        assert_eq!(id(Some(&noted(other)), &state, 1), followed, "{other}");
    }
    assert_eq!(id(None, &state, 1), first);

    let signed = identity(NoteKind::Signed);
    assert_eq!(id(Some(&noted("")), &signed, i64::MAX), None);
    assert_eq!(id(None, &signed, 1), Some(("42-a1".to_owned(), 0)));
    assert_eq!(id(None, &identity(NoteKind::Nothing), 1), Some(("a1".to_owned(), 0)));
}

#[test]
fn a_note_stands_under_what_tells_its_request_from_others() {
    let (channel, state) = (ChannelId::new(42), StateSubject { kind: "issue", id: "61".to_owned() });
    let subject = |noted| identity(noted).subject();
    assert_eq!(subject(NoteKind::Nothing), None);
    assert_eq!(subject(NoteKind::Signed), Some(wire::seen_subject(channel, "a1")));
    assert_eq!(subject(NoteKind::State(state)), Some(wire::state_subject(channel, "issue", "61")));

    let plain = Alert::new("error", "shop", channel, 0);
    let mention = Alert { mention: Some(shared::UserId::new(7)), ..plain.clone() };
    let signed = Alert { trust: Trust::Signature("s1".to_owned()), ..plain.clone() };
    for (alert, noted) in [(&plain, false), (&signed, true)] {
        let one = RequestIdentity::of_each(std::slice::from_ref(alert), vec![None], &HeaderMap::new(), b"{}");
        assert_eq!(one.iter().map(RequestIdentity::is_noted).collect::<Vec<_>>(), [noted]);
    }
    let of = |alert, body: &[u8]| digest(alert, false, body);
    let digests = BTreeSet::from([of(&plain, b"{}"), of(&plain, b"{ }"), of(&mention, b"{}")]);
    assert_eq!(digests.len(), 3);
    assert_eq!(digest(&mention, true, b"{}"), of(&plain, b"{}"), "a mention is not signed");
    assert_eq!(of(&plain, b"{}"), hex::encode(Sha256::digest(b"{}")));
}

#[test]
fn alerts_of_one_body_are_numbered_and_a_single_one_is_not() {
    let alert = Alert::new("error", "shop", ChannelId::new(42), 0);
    let signed = Alert { trust: Trust::Signature("s1".to_owned()), ..alert.clone() };
    let state = StateSubject { kind: "uptime", id: "7".to_owned() };
    let ids = |alerts: &[Alert], states: Vec<Option<StateSubject>>| -> Vec<_> {
        let all = RequestIdentity::of_each(alerts, states, &HeaderMap::new(), b"{}");
        all.iter().filter_map(|one| one.unless_repeat(None, 0)).map(|request| request.message_id).collect()
    };
    let sha256 = hex::encode(Sha256::digest(b"{}"));
    assert_eq!(ids(std::slice::from_ref(&alert), vec![None]), [format!("42-{sha256}")]);
    assert_eq!(
        ids(&[alert.clone(), alert, signed], vec![None, Some(state), None]),
        [format!("42-{sha256}.1"), format!("42-{sha256}-0.2"), format!("42-{sha256}.3")]
    );
}
