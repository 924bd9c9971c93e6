use super::*;

const BODY: &[u8] = "{\"caf\u{e9}\": \"\\u2603\"}".as_bytes();
/// The signature of the body with `hunter2`, made by Python's `hmac`.
const SIGNATURE: &str = "34b09cc9048550791f0ffa6234337da2b8fe31888b19f59962f1e018f8032854";

fn read(record: &str) -> Result<ChannelKeys, Unreadable> {
    ChannelKeys::read(ChannelId::new(42), record.as_bytes(), None)
}

#[test]
fn a_signature_is_the_lowercase_hex_of_the_raw_body_under_any_of_the_secrets() {
    let keys = ChannelKeys::of(true, None, &[None, Some("other"), Some("hunter2")]);
    assert_eq!(keys.signer(SIGNATURE.as_bytes(), BODY), Some("s3"));
    assert_eq!(ChannelKeys::of(true, None, &[Some("other"), None]).signer(SIGNATURE.as_bytes(), BODY), None);
    for wrong in [
        SIGNATURE.to_uppercase(),
        format!("sha256={SIGNATURE}"),
        format!("{SIGNATURE} "),
        SIGNATURE[1..].to_owned(),
        SIGNATURE.replace('3', "4"),
        String::new(),
    ] {
        assert_eq!(keys.signer(wrong.as_bytes(), BODY), None, "{wrong}");
    }
    for body in [&BODY[1..], &BODY[..BODY.len() - 1], &[BODY, b"\n"].concat(), b""] {
        assert_eq!(keys.signer(SIGNATURE.as_bytes(), body), None);
    }
}

#[test]
fn a_record_that_is_not_understood_whole_is_not_understood() {
    assert!(read(r#"{"v":1,"secured":true,"mood":"calm"}"#).expect("fields may be added").secured);
    for (record, error) in [
        ("", Unreadable::Malformed),
        ("garbage", Unreadable::Malformed),
        (r#"{"v":1,"secured":1}"#, Unreadable::Malformed),
        (r#"{"v":1,"tokens":[{"id":"t1","sha256":"00"}]}"#, Unreadable::Malformed),
        (r#"{"v":1,"secrets":[{"id":"s1"}]}"#, Unreadable::Malformed),
        ("{}", Unreadable::Version(0)),
        ("[]", Unreadable::Version(0)),
        (r#"{"v":2}"#, Unreadable::Version(2)),
    ] {
        assert_eq!(read(record).expect_err(record), error);
    }
}

#[test]
fn keys_are_trivial_where_the_channel_demands_and_recognises_nothing() {
    assert!(ChannelKeys::of(false, None, &[]).is_trivial());
    for (secured, token, secrets) in
        [(true, None, &[][..]), (false, Some("swordfish"), &[]), (false, None, &[None])]
    {
        assert!(!ChannelKeys::of(secured, token, secrets).is_trivial());
    }
}

#[test]
fn nothing_secret_is_printed() {
    let text = format!("{:?}", ChannelKeys::of(true, Some("swordfish"), &[Some("hunter2"), None]));
    assert!(text.contains("t1") && text.contains("s2"), "{text}");
    assert!(!text.contains("sha256") && !text.contains("104, 117"), "{text}");
}
