use super::*;
use crate::ids::RoleId;

#[test]
fn versions_mix_both_ways() {
    let older = r#"{"v":1,"channel":1,"kind":"error","project":"p","timestamp_ms":1,"received_ms":2}"#;
    let alert = Alert::decode(older.as_bytes()).expect("what an older ingress wrote");
    assert_eq!(alert.details, Details::default());
    let encoded = String::from_utf8(alert.encode()).expect("JSON");
    assert!(!encoded.contains("details"), "{encoded}");

    let newer = older.replace("\"v\":1", r#""v":1,"details":{"actor":"Jane","mood":"calm"},"shape":[]"#);
    let alert = Alert::decode(newer.as_bytes()).expect("what a newer ingress wrote");
    assert_eq!(alert.details, Details { actor: Some("Jane".to_owned()), ..Details::default() });
}

#[test]
fn a_build_without_rules_or_other_senders_is_understood_and_so_is_a_newer_one() {
    let older = r#"{"v":1,"channel":1,"kind":"error","project":"p","timestamp_ms":1,"received_ms":2}"#;
    let alert = Alert::decode(older.as_bytes()).expect("what an older ingress wrote");
    assert_eq!((alert.sender, &alert.routing), (Sender::Sentry, &Routing::default()));
    let encoded = String::from_utf8(alert.encode()).expect("JSON");
    assert!(!encoded.contains("sender") && !encoded.contains("routing"), "{encoded}");

    let sent_on = Alert {
        sender: Sender::GlitchTip,
        routing: Routing {
            home: Some(ChannelId::new(5)),
            ping: Some(Ping::Role(RoleId::new(6))),
            stranded: None,
            quiet: true,
        },
        ..alert
    };
    let encoded = String::from_utf8(sent_on.encode()).expect("JSON");
    assert!(encoded.contains(r#""sender":"glitchtip""#), "{encoded}");
    assert_eq!(Alert::decode(encoded.as_bytes()).expect("an alert"), sent_on);
    let newer = encoded.replace("glitchtip", "errorpipe");
    assert_eq!(Alert::decode(newer.as_bytes()).expect("an alert").sender, Sender::Other);
}
