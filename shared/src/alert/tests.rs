use super::*;

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
