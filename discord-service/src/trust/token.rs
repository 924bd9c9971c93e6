//! Making keys.

use anyhow::Context as _;
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use rand::{TryRngCore as _, rngs::OsRng};
use secrecy::SecretString;
use sha2::{Digest as _, Sha256};

const TOKEN_BYTES: usize = 32;
/// Enough to tell a channel's keys apart.
const ID_BYTES: usize = 4;

/// A new token, as text for a URL.
pub(super) fn token() -> anyhow::Result<SecretString> {
    Ok(BASE64_URL_SAFE_NO_PAD.encode(random::<TOKEN_BYTES>()?).into())
}

/// A new name for a key.
pub(super) fn id() -> anyhow::Result<String> {
    Ok(hex::encode(random::<ID_BYTES>()?))
}

/// What is kept of a token.
pub(super) fn sha256(token: &str) -> String {
    hex::encode(Sha256::digest(token))
}

fn random<const N: usize>() -> anyhow::Result<[u8; N]> {
    let mut bytes = [0; N];
    OsRng.try_fill_bytes(&mut bytes).context("cannot get random bytes from the system")?;
    Ok(bytes)
}
