use super::*;

const NOW_MS: i64 = 1_763_905_862_123;
const BODY: &[u8] = b"{}";
/// The signature of the body with `hunter2`, made by Python's `hmac`.
const RIGHT: Header<'_> = Header::Once(b"603176255680307a81ec5b984e3a7b4143d0aef1fd1576987618e55c50868ad7");
const WRONG: Header<'_> = Header::Once(b"0000000000000000000000000000000000000000000000000000000000000000");
const NO: Header<'_> = Header::Absent;

fn outcome(keys: &ChannelKeys, token: Option<&str>, signature: Header<'_>, timestamp: Header<'_>) -> String {
    let evidence = Evidence { token, signature, timestamp, body: BODY };
    match judge(keys, &evidence, NOW_MS) {
        Ok(Trust::None) => "in".to_owned(),
        Ok(Trust::Token(id) | Trust::Signature(id)) => id,
        Err(distrust) => format!("{distrust:?}"),
    }
}

#[test]
fn every_combination_of_what_is_kept_and_what_is_brought() {
    // What the channel has, then two lists of outcomes: for an open channel,
    // then for a secured one. Each list: no token, the right one, a wrong one.
    type Row<'a> = (Option<&'a str>, &'a [Option<&'a str>], Header<'a>, [&'a str; 3], [&'a str; 3]);
    let (token, none) = (Some("swordfish"), "NoSuchToken");
    let secrets: &[Option<&str>] = &[Some("other"), Some("hunter2")];
    let (sealed, some_sealed): (&[Option<&str>], &[Option<&str>]) = (&[None], &[None, Some("hunter2")]);
    let rows: [Row<'_>; 19] = [
        // Nothing kept: a token is refused, a signature ignored.
        (None, &[], NO, ["in", none, none], ["TokenMissing", none, none]),
        (None, &[], RIGHT, ["in", none, none], ["NoSecret", none, none]),
        (None, &[], WRONG, ["in", none, none], ["NoSecret", none, none]),
        (None, &[], Header::Repeated, ["in", none, none], ["NoSecret", none, none]),
        // A token.
        (token, &[], NO, ["in", "t1", "WrongToken"], ["TokenMissing", "t1", "WrongToken"]),
        (token, &[], RIGHT, ["in", "t1", "WrongToken"], ["NoSecret", "t1", "WrongToken"]),
        (token, &[], WRONG, ["in", "t1", "WrongToken"], ["NoSecret", "t1", "WrongToken"]),
        // Secrets.
        (None, secrets, NO, ["in", none, none], ["TokenMissing", none, none]),
        (None, secrets, RIGHT, ["s2", none, none], ["s2", none, none]),
        (None, secrets, WRONG, ["WrongSignature", none, none], ["WrongSignature", none, none]),
        (None, secrets, Header::Repeated, ["WrongSignature", none, none], ["WrongSignature", none, none]),
        // Both.
        (token, secrets, NO, ["in", "t1", "WrongToken"], ["TokenMissing", "t1", "WrongToken"]),
        (token, secrets, RIGHT, ["s2", "s2", "WrongToken"], ["s2", "s2", "WrongToken"]),
        (
            token,
            secrets,
            WRONG,
            ["WrongSignature", "t1", "WrongToken"],
            ["WrongSignature", "t1", "WrongToken"],
        ),
        (
            token,
            secrets,
            Header::Repeated,
            ["WrongSignature", "t1", "WrongToken"],
            ["WrongSignature", "t1", "WrongToken"],
        ),
        // Secrets that SECRETS_KEY does not open.
        (None, sealed, NO, ["in", none, none], ["TokenMissing", none, none]),
        (None, sealed, RIGHT, ["Sealed", none, none], ["Sealed", none, none]),
        (token, sealed, RIGHT, ["Sealed", "t1", "WrongToken"], ["Sealed", "t1", "WrongToken"]),
        (None, some_sealed, RIGHT, ["s2", none, none], ["s2", none, none]),
    ];
    for (n, (token, secrets, signature, open, secured)) in rows.iter().enumerate() {
        for (is_secured, expected) in [(false, open), (true, secured)] {
            let keys = ChannelKeys::of(is_secured, *token, secrets);
            let given = [None, Some("swordfish"), Some("Swordfish")];
            let outcomes = given.map(|token| outcome(&keys, token, *signature, NO));
            assert_eq!(outcomes.each_ref().map(String::as_str), *expected, "row {n}, secured: {is_secured}");
        }
    }
}

#[test]
fn a_timestamp_may_be_ten_minutes_off_where_the_signature_counts() {
    let keys = ChannelKeys::of(true, Some("swordfish"), &[Some("hunter2")]);
    let now = NOW_MS / 1_000;
    for (timestamp, expected) in [
        (now.to_string(), "s1"),
        ((now - 599).to_string(), "s1"),
        ((now + 600).to_string(), "s1"),
        ((now - 601).to_string(), "Stale"),
        ((now + 601).to_string(), "Stale"),
        ("0".to_owned(), "Stale"),
        ("-1".to_owned(), "Stale"),
        (i64::MAX.to_string(), "Timeless"),
        (i64::MIN.to_string(), "Timeless"),
        (String::new(), "Timeless"),
        (format!("{now}.5"), "Timeless"),
        ("2025-11-23T13:51:02Z".to_owned(), "Timeless"),
    ] {
        let header = Header::Once(timestamp.as_bytes());
        assert_eq!(outcome(&keys, None, RIGHT, header), expected, "{timestamp}");
        // A right token is enough.
        assert_eq!(outcome(&keys, Some("swordfish"), RIGHT, header), "s1", "{timestamp}");
        assert_eq!(outcome(&keys, Some("swordfish"), WRONG, header), "t1", "{timestamp}");
        let open = ChannelKeys::of(false, None, &[]);
        assert_eq!(outcome(&open, None, RIGHT, header), "in", "{timestamp}");
    }
    for received_ms in [400_000, 1_600_000] {
        assert_eq!(check_timestamp(Header::Once(b"1000"), received_ms), Ok(()));
    }
    for received_ms in [399_999, 1_600_001] {
        assert_eq!(check_timestamp(Header::Once(b"1000"), received_ms), Err(EvidenceError::Stale));
    }
    assert_eq!(outcome(&keys, None, RIGHT, Header::Once(b"\xff")), "Timeless");
    assert_eq!(outcome(&keys, None, RIGHT, Header::Repeated), "Timeless");
    assert_eq!(outcome(&keys, None, RIGHT, Header::Absent), "s1");
}
