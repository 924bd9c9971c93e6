//! What a channel trusts beyond a source address: its token and the client
//! secrets of its Sentry integrations. discord-service keeps this in the store
//! and mirrors it into the KV bucket [`crate::wire::TRUST`], one record for
//! each channel. The ingress watches the bucket and verifies requests, because
//! only it has the raw bytes.

mod seal;

use serde::{Deserialize, Serialize};

pub use self::seal::{ClientSecret, SealError, SecretsKeys};

/// The version of the record that this build writes.
pub const VERSION: u32 = 1;

/// The hash of a token. The token itself is shown once and kept nowhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenKey {
    /// Names the token in alerts and to people, without telling anything about
    /// it.
    pub id: String,
    /// SHA-256 of the token as written in the URL, in lowercase hex.
    pub sha256: String,
}

/// A client secret of a Sentry integration, sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretKey {
    /// Names the secret in alerts and to people, without telling anything about
    /// it.
    pub id: String,
    /// The result of [`SecretsKeys::seal`], in base64.
    pub sealed: String,
}

/// What one channel demands and accepts. The default is a channel that was
/// never secured: it takes every request without a token.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ChannelTrust {
    /// The record's version. A reader refuses a version that it does not know.
    pub v: u32,
    /// Whether a request needs a right token or a right signature.
    pub secured: bool,
    /// Since when it is secured, in milliseconds since 1970. 0 if it is not.
    pub secured_ms: i64,
    /// The token, if one was ever made. `channel open` leaves it valid.
    pub tokens: Vec<TokenKey>,
    /// The client secrets.
    pub secrets: Vec<SecretKey>,
}
