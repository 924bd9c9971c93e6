//! The table of docs/ARCHITECTURE.md as plain code, to compare the rules with.

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use shared::{alert::Trust, trust::ClientSecret};

use super::{
    channel_keys::{ChannelKeys, sign},
    rules::{Evidence, SIGNATURE, TIMESTAMP, judge},
};

const NOW_MS: i64 = 1_763_905_862_123;
const TOKEN: &str = "swordfish";
const SECRET: &str = "hunter2";

/// How the rules judge, and how the table does. The first five bytes choose the
/// channel's keys, its secrets, the token, the signature and the timestamp. The
/// rest is the body.
pub(crate) fn oracle(bytes: &[u8]) -> (&'static str, &'static str) {
    let byte = |n: usize| bytes.get(n).copied().unwrap_or_default();
    let body = bytes.get(5..).unwrap_or_default();
    let (secured, kept) = (byte(0) & 1 == 1, byte(0) & 2 == 2);
    let (secrets, can_sign): (&[Option<&str>], bool) = match byte(1) % 4 {
        0 => (&[], false),
        1 => (&[Some("other"), Some(SECRET)], true),
        2 => (&[Some("other")], false),
        _ => (&[None], false),
    };
    let token = [None, Some(TOKEN), Some("Swordfish")][usize::from(byte(2) % 3)];
    let signature = sign(&ClientSecret::from(SECRET.as_bytes().to_vec()), body).unwrap_or_default();
    let (signatures, is_right) = match byte(3) % 4 {
        0 => (vec![], false),
        1 => (vec![signature], true),
        2 => (vec![signature.to_uppercase()], signature.bytes().all(|byte| byte.is_ascii_digit())),
        _ => (vec![signature.clone(), signature], false),
    };
    let now = NOW_MS / 1_000;
    let (timestamp, in_time) = match byte(4) % 8 {
        0 => (None, true),
        1 => (Some(now.to_string()), true),
        2 => (Some((now - 599).to_string()), true),
        3 => (Some((now + 600).to_string()), true),
        4 => (Some((now - 600).to_string()), false),
        5 => (Some((now + 601).to_string()), false),
        6 => (Some("yesterday".to_owned()), false),
        _ => (Some(i64::MAX.to_string()), false),
    };
    let mut headers = HeaderMap::new();
    let named = signatures.iter().map(|value| (SIGNATURE, value));
    for (name, value) in named.chain(timestamp.iter().map(|value| (TIMESTAMP, value))) {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value.as_str())) {
            headers.append(name, value);
        }
    }
    let keys = ChannelKeys::of(secured, kept.then_some(TOKEN), secrets);
    let judged = match judge(&keys, &Evidence::of(token, &headers, body), NOW_MS) {
        Ok(Trust::None) => "none",
        Ok(Trust::Token(_)) => "token",
        Ok(Trust::Signature(_)) => "signature",
        Err(_) => "refused",
    };

    // The table. A token that is given must be right in any case.
    let right_token = kept && token == Some(TOKEN);
    // Without secrets a signature is ignored.
    let right_signature = can_sign && is_right;
    let wrong_signature = !secrets.is_empty() && !signatures.is_empty() && !right_signature;
    let expected = if token.is_some() && !right_token {
        "refused"
    } else if right_signature && (right_token || in_time) {
        "signature"
    } else if right_token {
        "token"
    } else if secured || wrong_signature || right_signature {
        "refused"
    } else {
        "none"
    };
    (judged, expected)
}
