//! The keys by which one channel recognises its senders, ready for use.

#[cfg(test)]
mod tests;

use std::fmt;

use openssl::{hash::MessageDigest, memcmp, pkey::PKey, sign::Signer};
use secrecy::ExposeSecret as _;
use sha2::{Digest as _, Sha256};
use shared::{
    ChannelId,
    trust::{ChannelTrust, ClientSecret, SecretsKeys, VERSION},
};

/// What a channel demands and accepts. By default it has no keys and takes
/// every request without a token.
#[derive(Debug, Default)]
pub(super) struct ChannelKeys {
    pub(super) secured: bool,
    tokens: Vec<KeptToken>,
    secrets: Vec<KeptSecret>,
}

struct KeptToken {
    id: String,
    sha256: [u8; 32],
}

#[derive(Debug)]
struct KeptSecret {
    id: String,
    /// `None` if no key of `SECRETS_KEY` opens it. Then it verifies nothing.
    opened: Option<ClientSecret>,
}

impl fmt::Debug for KeptToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Why a record cannot be read. The text never contains the record, which holds
/// secrets.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unreadable {
    #[error("it is not a record")]
    Malformed,
    #[error("it has the unknown version {0}")]
    Version(u32),
}

impl ChannelKeys {
    /// Reads the channel's record, and opens its secrets with `keys`.
    pub(super) fn read(
        channel: ChannelId,
        record: &[u8],
        keys: Option<&SecretsKeys>,
    ) -> Result<Self, Unreadable> {
        let record: ChannelTrust = serde_json::from_slice(record).map_err(|_| Unreadable::Malformed)?;
        if record.v != VERSION {
            return Err(Unreadable::Version(record.v));
        }
        let token = |token: shared::trust::TokenKey| {
            let mut sha256 = [0; 32];
            hex::decode_to_slice(token.sha256, &mut sha256).map_err(|_| Unreadable::Malformed)?;
            Ok(KeptToken { id: token.id, sha256 })
        };
        let secret = |secret: shared::trust::SecretKey| {
            let opened = keys.and_then(|keys| keys.open(channel, &secret.sealed).ok());
            KeptSecret { id: secret.id, opened }
        };
        Ok(Self {
            secured: record.secured,
            tokens: record.tokens.into_iter().map(token).collect::<Result<_, _>>()?,
            secrets: record.secrets.into_iter().map(secret).collect(),
        })
    }

    /// Whether the channel demands nothing and has no keys.
    pub(super) const fn is_trivial(&self) -> bool {
        !self.secured && self.tokens.is_empty() && self.secrets.is_empty()
    }

    pub(super) const fn has_tokens(&self) -> bool {
        !self.tokens.is_empty()
    }

    pub(super) const fn has_secrets(&self) -> bool {
        !self.secrets.is_empty()
    }

    /// Whether a secret of the channel could not be opened.
    pub(super) fn has_sealed_secrets(&self) -> bool {
        self.secrets.iter().any(|secret| secret.opened.is_none())
    }

    /// The id of the channel's key with this token.
    pub(super) fn token(&self, token: &str) -> Option<&str> {
        let given = Sha256::digest(token);
        let known = self.tokens.iter().find(|known| memcmp::eq(&known.sha256, &given));
        known.map(|token| token.id.as_str())
    }

    /// The id of the channel's secret under which this is the body's signature.
    pub(super) fn signer(&self, signature: &[u8], body: &[u8]) -> Option<&str> {
        if !is_signature(signature) {
            return None;
        }
        let signed = |secret: &&KeptSecret| {
            let expected = secret.opened.as_ref().and_then(|secret| sign(secret, body));
            // `memcmp::eq` panics if the lengths differ.
            expected.is_some_and(|it| it.len() == signature.len() && memcmp::eq(it.as_bytes(), signature))
        };
        self.secrets.iter().find(signed).map(|secret| secret.id.as_str())
    }
}

/// Whether it looks like a signature. If not, a long body need not be hashed.
fn is_signature(text: &[u8]) -> bool {
    text.len() == 64 && text.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Sentry's signature of a body: lowercase hexadecimal HMAC-SHA256 of its bytes.
pub(super) fn sign(secret: &ClientSecret, body: &[u8]) -> Option<String> {
    let key = PKey::hmac(secret.expose_secret()).ok()?;
    let mut signer = Signer::new(MessageDigest::sha256(), &key).ok()?;
    signer.sign_oneshot_to_vec(body).ok().map(hex::encode)
}

#[cfg(any(test, feature = "fuzzing"))]
impl ChannelKeys {
    /// A channel with this token as `t1` and these secrets as `s1`, `s2`, ….
    /// `None` is a secret that could not be opened. For tests and oracles.
    pub(super) fn of(secured: bool, token: Option<&str>, secrets: &[Option<&str>]) -> Self {
        let tokens =
            token.map(|token| KeptToken { id: "t1".to_owned(), sha256: Sha256::digest(token).into() });
        let opened = |secret: &str| ClientSecret::from(secret.as_bytes().to_vec());
        let secrets = secrets.iter().zip(1..);
        let secrets = secrets
            .map(|(secret, n)| KeptSecret { id: format!("s{n}"), opened: secret.as_deref().map(opened) });
        Self { secured, tokens: tokens.into_iter().collect(), secrets: secrets.collect() }
    }
}
