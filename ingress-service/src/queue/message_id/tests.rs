use actix_web::http::header::{HeaderName, HeaderValue};

use super::*;

const CHANNEL: ChannelId = ChannelId::new(7);

fn id(headers: &[(&'static str, &str)], mention: Option<u64>, body: &str) -> String {
    let headers = headers
        .iter()
        .map(|(name, value)| {
            let value = HeaderValue::from_bytes(value.as_bytes()).expect("a header's value");
            (HeaderName::from_static(name), value)
        })
        .collect();
    message_id(CHANNEL, mention.map(UserId::new), &headers, body.as_bytes())
}

#[test]
fn sentrys_key_comes_first_then_the_request_then_the_content() {
    let both = [("request-id", "r"), ("idempotency-key", "0af5")];
    assert_eq!(id(&both, None, "{}"), "7-0af5");
    assert_eq!(id(&[("request-id", "r"), ("idempotency-key", " ")], None, "{}"), "7-r");
    let content = "7-44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
    assert_eq!(id(&[], None, "{}"), content);
    assert_ne!(id(&[], Some(1), "{}"), content);
    assert_ne!(id(&[], Some(1), "{}"), id(&[], Some(2), "{}"));
}

#[test]
fn a_hostile_key_is_hashed() {
    for key in ["a".repeat(65).as_str(), "a b", "a.b", "é", "%0d%0a"] {
        let id = id(&[("idempotency-key", key)], None, "{}");
        assert_eq!(id.len(), "7-".len() + 64, "{key}");
        assert!(id.is_ascii(), "{key}");
    }
}
