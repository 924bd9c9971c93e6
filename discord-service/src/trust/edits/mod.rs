//! What changes of a channel's trust do. Pure but for the keys that they make.

use secrecy::{ExposeSecret as _, SecretString};
use shared::{
    ChannelId,
    trust::{ChannelTrust, ClientSecret, SealError, SecretKey, SecretsKeys, TokenKey},
};

use super::{SecretOutcome, TrustError, token};
use crate::store::WriteOutcome;

/// How many client secrets a channel can have: some integrations, each with an
/// old one and a new one while they are rotated.
pub(crate) const MAX_SECRETS: usize = 5;

/// A new token, and what is kept of it.
#[derive(Debug)]
pub struct Secured {
    /// Shown once, and kept nowhere.
    pub token: SecretString,
    /// What is kept of it.
    pub key: TokenKey,
}

impl Secured {
    /// Makes one. It is good for nothing until a channel is
    /// [secured](super::Trusts::secure) with it.
    ///
    /// # Errors
    /// When the system has no random bytes.
    pub fn generate() -> anyhow::Result<Self> {
        let token = token::token()?;
        let key = TokenKey { id: token::id()?, sha256: token::sha256(token.expose_secret()) };
        Ok(Self { token, key })
    }
}

/// If the channel was secured before, the time stays. Alerts without a key
/// since then are still not trusted after another change of the token.
pub(super) fn secure(trust: &mut ChannelTrust, token: &TokenKey, now_ms: i64) {
    if !trust.secured {
        trust.secured_ms = now_ms;
    }
    trust.secured = true;
    trust.tokens = vec![token.clone()];
}

pub(super) fn open(trust: &mut ChannelTrust) -> WriteOutcome {
    let change = if trust.secured { WriteOutcome::Changed } else { WriteOutcome::Unchanged };
    trust.secured = false;
    trust.secured_ms = 0;
    change
}

/// The secret as it is kept, under a new id.
pub(super) fn seal(
    keys: &SecretsKeys,
    channel: ChannelId,
    secret: &ClientSecret,
) -> Result<SecretKey, TrustError> {
    Ok(SecretKey { id: token::id()?, sealed: keys.seal(channel, secret)? })
}

/// Whether this secret is among the channel's. One that cannot be opened is none
/// that anybody can compare.
pub(super) fn holds(
    keys: &SecretsKeys,
    channel: ChannelId,
    trust: &ChannelTrust,
    secret: &ClientSecret,
) -> bool {
    let opened = trust.secrets.iter().filter_map(|kept| keys.open(channel, &kept.sealed).ok());
    opened.into_iter().any(|kept| kept.expose_secret() == secret.expose_secret())
}

pub(super) fn add_secret(trust: &mut ChannelTrust, key: &SecretKey) -> SecretOutcome {
    if trust.secrets.len() >= MAX_SECRETS {
        return SecretOutcome::Full;
    }
    trust.secrets.push(key.clone());
    SecretOutcome::Now
}

pub(super) fn remove_secret(trust: &mut ChannelTrust, id: &str) -> WriteOutcome {
    let before = trust.secrets.len();
    trust.secrets.retain(|key| key.id != id);
    if trust.secrets.len() < before { WriteOutcome::Changed } else { WriteOutcome::Unchanged }
}

pub(super) fn secret_ids(trust: &ChannelTrust) -> Vec<String> {
    trust.secrets.iter().map(|key| key.id.clone()).collect()
}

/// Seals again the secrets that another key than the first sealed. What no key
/// opens stays as it is: its key may come back.
pub(super) fn reseal(
    keys: &SecretsKeys,
    channel: ChannelId,
    trust: &mut ChannelTrust,
) -> Result<(), SealError> {
    for key in &mut trust.secrets {
        match keys.reseal(channel, &key.sealed) {
            Ok(Some(sealed)) => key.sealed = sealed,
            Ok(None) => {}
            Err(SealError::Open) => {
                tracing::warn!(channel.id = %channel, key.id = key.id, "SECRETS_KEY lacks the key that sealed this client secret: signatures under it cannot be verified");
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
