//! `Nats-Msg-Id`, by which JetStream recognises a repeated alert: that of a request
//! without a note. `repeats` makes those of signed requests and of states.

#[cfg(test)]
mod tests;

use actix_web::http::header::HeaderMap;
use sha2::{Digest as _, Sha256};
use shared::{ChannelId, UserId};

/// Longer keys are hashed, so that a stranger cannot fill JetStream's memory.
const MAX_KEY: usize = 64;

/// The channel, and what identifies this firing of the alert. That is Sentry's
/// key if there is one, else the content and the mention.
pub(crate) fn message_id(
    channel: ChannelId,
    mention: Option<UserId>,
    headers: &HeaderMap,
    body: &[u8],
) -> String {
    let sent = ["Idempotency-Key", "Request-ID"]
        .into_iter()
        .filter_map(|name| headers.get(name))
        .map(|value| value.as_bytes().trim_ascii())
        .find(|value| !value.is_empty());
    let key = match sent {
        Some(key) if key.len() <= MAX_KEY && key.iter().all(|byte| is_plain(*byte)) => {
            String::from_utf8_lossy(key).into_owned()
        }
        Some(key) => hex::encode(Sha256::digest(key)),
        None => {
            let mut content = Sha256::new_with_prefix(body);
            if let Some(user) = mention {
                // No JSON text holds a NUL, so the two parts cannot blend.
                content.update(format!("\0{user}"));
            }
            hex::encode(content.finalize())
        }
    };
    format!("{channel}-{key}")
}

const fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}
