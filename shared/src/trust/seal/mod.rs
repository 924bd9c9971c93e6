//! Seals client secrets by AES-256-GCM with `SECRETS_KEY`. The channel's id is
//! associated data, so a sealed secret is useless in another channel.

#[cfg(test)]
mod tests;

use std::fmt;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use openssl::{
    rand::rand_bytes,
    symm::{Cipher, decrypt_aead, encrypt_aead},
};
use secrecy::{ExposeSecret as _, SecretSlice};

use crate::{
    ids::ChannelId,
    settings::{CommonSettings, SettingsError, secret},
};

const KEY_BYTES: usize = 32;
/// GCM's own size of nonce and tag.
const NONCE_BYTES: usize = 12;
const TAG_BYTES: usize = 16;

/// A client secret as plain bytes. They are wiped when it is dropped, and
/// `Debug` does not show them.
pub type ClientSecret = SecretSlice<u8>;

/// A secret could not be sealed, or what was sealed cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// OpenSSL failed to seal.
    #[error("cannot seal the secret: {0}")]
    Seal(#[from] openssl::error::ErrorStack),
    /// It was sealed with a key that is no longer in `SECRETS_KEY`, or for
    /// another channel, or it is damaged.
    #[error("the secret was sealed under a key that SECRETS_KEY does not hold")]
    Open,
}

/// `SECRETS_KEY`. The first key seals, and all keys open.
#[derive(Clone)]
pub struct SecretsKeys(Vec<SecretSlice<u8>>);

impl fmt::Debug for SecretsKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretsKeys({})", self.0.len())
    }
}

impl SecretsKeys {
    /// Reads `SECRETS_KEY`, a comma list of keys of 32 bytes in base64.
    ///
    /// # Errors
    /// When it is set but is not such a list, or cannot be read.
    pub fn from_settings(settings: &CommonSettings) -> Result<Option<Self>, SettingsError> {
        let Some(keys) = secret("SECRETS_KEY", settings.secrets_key_file.as_ref())? else { return Ok(None) };
        Self::parse(keys.expose_secret()).map(Some).ok_or_else(|| {
            let help = "SECRETS_KEY: expected 32 bytes in base64, or several with commas between: make one with `openssl rand -base64 32`";
            SettingsError(help.to_owned())
        })
    }

    fn parse(keys: &str) -> Option<Self> {
        let key = |key: &str| {
            let key = BASE64_STANDARD.decode(key.trim()).ok().filter(|key| key.len() == KEY_BYTES)?;
            Some(SecretSlice::from(key))
        };
        keys.split(',').map(key).collect::<Option<_>>().map(Self)
    }

    /// Seals a secret for one channel: base64 of nonce, text and tag.
    ///
    /// # Errors
    /// When OpenSSL fails.
    pub fn seal(&self, channel: ChannelId, secret: &ClientSecret) -> Result<String, SealError> {
        let key = self.0.first().ok_or(SealError::Open)?.expose_secret();
        let (mut nonce, mut tag) = ([0; NONCE_BYTES], [0; TAG_BYTES]);
        rand_bytes(&mut nonce)?;
        let aad = channel.to_string();
        let cipher = Cipher::aes_256_gcm();
        let text = encrypt_aead(cipher, key, Some(&nonce), aad.as_bytes(), secret.expose_secret(), &mut tag)?;
        Ok(BASE64_STANDARD.encode([&nonce, text.as_slice(), &tag].concat()))
    }

    /// Opens the result of [`Self::seal`] with the key that sealed it.
    ///
    /// # Errors
    /// [`SealError::Open`] when no key opens it for this channel.
    pub fn open(&self, channel: ChannelId, sealed: &str) -> Result<ClientSecret, SealError> {
        self.open_with(channel, sealed).map(|(_, secret)| secret)
    }

    /// Seals the same secret with the first key. `None` if that key sealed it
    /// already.
    ///
    /// # Errors
    /// [`SealError::Open`] when no key opens it for this channel.
    pub fn reseal(&self, channel: ChannelId, sealed: &str) -> Result<Option<String>, SealError> {
        match self.open_with(channel, sealed)? {
            (0, _) => Ok(None),
            (_, secret) => self.seal(channel, &secret).map(Some),
        }
    }

    /// The secret, and the index of the key that opened it.
    fn open_with(&self, channel: ChannelId, sealed: &str) -> Result<(usize, ClientSecret), SealError> {
        let bytes = BASE64_STANDARD.decode(sealed).map_err(|_| SealError::Open)?;
        let (nonce, rest) = bytes.split_at_checked(NONCE_BYTES).ok_or(SealError::Open)?;
        let at = rest.len().checked_sub(TAG_BYTES).ok_or(SealError::Open)?;
        let (text, tag) = rest.split_at(at);
        let aad = channel.to_string();
        let opened = self.0.iter().enumerate().find_map(|(index, key)| {
            let cipher = Cipher::aes_256_gcm();
            let text =
                decrypt_aead(cipher, key.expose_secret(), Some(nonce), aad.as_bytes(), text, tag).ok()?;
            Some((index, ClientSecret::from(text)))
        });
        opened.ok_or(SealError::Open)
    }
}
