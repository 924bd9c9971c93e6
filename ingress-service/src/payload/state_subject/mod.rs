//! Bodies that describe a state may rightly come again: critical, warning, and
//! critical once more are three things that happened.

#[cfg(test)]
mod tests;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// Longer ids are hashed: Sentry's are numbers.
const MAX_ID: usize = 40;

/// Of what a body describes the state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StateSubject {
    /// `issue`, `metric_alert`, `comment` or `uptime`.
    pub(crate) kind: &'static str,
    /// Which one, in the characters of a NATS subject's token.
    pub(crate) id: String,
}

impl StateSubject {
    /// That of a webhook's `data`.
    pub(super) fn of(resource: &str, action: &str, data: &Value) -> Option<Self> {
        let (kind, places): (_, &[&str]) = match (resource, action) {
            ("issue", _) => ("issue", &["/issue/id"]),
            ("metric_alert", _) => ("metric_alert", &["/metric_alert/id", "/metric_alert/alert_rule/id"]),
            // One that is new or deleted is so once.
            ("comment", "updated") => ("comment", &["/comment_id"]),
            _ => return None,
        };
        let id = places.iter().find_map(|place| scalar(data.pointer(place)?));
        Some(Self::named(kind, &id.unwrap_or_default()))
    }

    /// That of this kind with this id, whatever it holds.
    pub(super) fn named(kind: &'static str, id: &str) -> Self {
        Self { kind, id: token(id) }
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) => Some(text.clone()),
        _ => None,
    }
}

fn token(id: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if (1..=MAX_ID).contains(&id.len()) && id.bytes().all(plain) {
        id.to_owned()
    } else {
        hex::encode(Sha256::digest(id))
    }
}
