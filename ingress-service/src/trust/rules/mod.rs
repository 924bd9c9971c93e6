//! Whether a request brings what its channel demands. These are pure functions:
//! the table of docs/ARCHITECTURE.md. How a token or a signature is compared is
//! in [`channel_keys`](super::channel_keys).

#[cfg(test)]
mod tests;

use actix_web::http::header::HeaderMap;
use shared::alert::Trust;

use super::channel_keys::ChannelKeys;

pub(super) const SIGNATURE: &str = "Sentry-Hook-Signature";
pub(super) const TIMESTAMP: &str = "Sentry-Hook-Timestamp";
/// How far a request's timestamp may be off, either way, in milliseconds.
const MAX_SKEW_MS: u64 = 10 * 60 * 1_000;

/// A header that a request should have at most once.
#[derive(Clone, Copy)]
pub(super) enum Header<'a> {
    Absent,
    Once(&'a [u8]),
    Repeated,
}

impl<'a> Header<'a> {
    fn of(headers: &'a HeaderMap, name: &str) -> Self {
        let mut values = headers.get_all(name);
        match (values.next(), values.next()) {
            (None, _) => Self::Absent,
            (Some(value), None) => Self::Once(value.as_bytes()),
            (Some(_), Some(_)) => Self::Repeated,
        }
    }
}

/// What a request brings to be trusted. It has no `Debug`, because all of it is
/// secret.
#[derive(Clone, Copy)]
pub(crate) struct Evidence<'a> {
    token: Option<&'a str>,
    signature: Header<'a>,
    timestamp: Header<'a>,
    pub(crate) body: &'a [u8],
}

impl<'a> Evidence<'a> {
    /// The evidence of a request with this token in its query and this raw
    /// body.
    pub(crate) fn of(token: Option<&'a str>, headers: &'a HeaderMap, body: &'a [u8]) -> Self {
        let signature = Header::of(headers, SIGNATURE);
        Self { token, signature, timestamp: Header::of(headers, TIMESTAMP), body }
    }
}

/// Why a request is not trusted. `status` shows these texts to the channel's
/// admins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum EvidenceError {
    #[error("token: the channel has none")]
    NoSuchToken,
    #[error("token: not this channel's")]
    WrongToken,
    #[error("token: missing")]
    TokenMissing,
    #[error("signature: the channel has no client secret to check it with, and a token is missing")]
    NoSecret,
    #[error("signature: matches none of the channel's secrets")]
    WrongSignature,
    #[error("signature: matches none of the channel's secrets, and SECRETS_KEY does not open all of them")]
    Sealed,
    #[error("signature: its timestamp is more than 10 minutes off")]
    Stale,
    #[error("signature: its timestamp is not a time")]
    Timeless,
}

impl EvidenceError {
    /// Whether the token is at fault, and not the signature.
    pub(crate) const fn is_about_token(self) -> bool {
        matches!(self, Self::NoSuchToken | Self::WrongToken | Self::TokenMissing)
    }
}

/// What a request's signature says.
enum Signature<'a> {
    /// There is none, or the channel has no secrets and looks at none.
    None,
    Wrong,
    Right(&'a str),
}

/// Says for what evidence a channel with these keys trusts a request, received
/// at `received_ms` (milliseconds since 1970).
///
/// # Errors
/// [`EvidenceError`] when the channel demands something else.
pub(super) fn judge(
    keys: &ChannelKeys,
    evidence: &Evidence<'_>,
    received_ms: i64,
) -> Result<Trust, EvidenceError> {
    let token = evidence.token.map(|token| keys.token(token).ok_or_else(|| no_token(keys))).transpose()?;
    let signature = match evidence.signature {
        _ if !keys.has_secrets() => Signature::None,
        Header::Absent => Signature::None,
        Header::Repeated => Signature::Wrong,
        Header::Once(signature) => {
            keys.signer(signature, evidence.body).map_or(Signature::Wrong, Signature::Right)
        }
    };
    match (token, signature) {
        (Some(_), Signature::Right(secret)) => Ok(Trust::Signature(secret.to_owned())),
        (Some(token), _) => Ok(Trust::Token(token.to_owned())),
        (None, Signature::Right(secret)) => {
            check_timestamp(evidence.timestamp, received_ms)?;
            Ok(Trust::Signature(secret.to_owned()))
        }
        (None, Signature::Wrong) if keys.has_sealed_secrets() => Err(EvidenceError::Sealed),
        (None, Signature::Wrong) => Err(EvidenceError::WrongSignature),
        (None, Signature::None) if !keys.secured => Ok(Trust::None),
        (None, Signature::None) if matches!(evidence.signature, Header::Absent) => {
            Err(EvidenceError::TokenMissing)
        }
        (None, Signature::None) => Err(EvidenceError::NoSecret),
    }
}

const fn no_token(keys: &ChannelKeys) -> EvidenceError {
    if keys.has_tokens() { EvidenceError::WrongToken } else { EvidenceError::NoSuchToken }
}

/// A missing timestamp is allowed. It is not signed, so an attacker who leaves
/// it out could also set it.
fn check_timestamp(timestamp: Header<'_>, received_ms: i64) -> Result<(), EvidenceError> {
    let seconds = match timestamp {
        Header::Absent => return Ok(()),
        Header::Repeated => return Err(EvidenceError::Timeless),
        Header::Once(text) => str::from_utf8(text).ok().and_then(|text| text.trim().parse::<i64>().ok()),
    };
    let sent_ms = seconds.and_then(|seconds| seconds.checked_mul(1_000)).ok_or(EvidenceError::Timeless)?;
    if sent_ms.abs_diff(received_ms) > MAX_SKEW_MS { Err(EvidenceError::Stale) } else { Ok(()) }
}
