//! What changes of a channel's trust do. Pure but for the keys that they make.

use secrecy::{ExposeSecret as _, SecretString};
use shared::{
    ChannelId,
    trust::{ChannelTrust, ClientSecret, SealError, SecretKey, SecretsKeys, TokenKey},
};

use super::{Stored, TrustError, token};
use crate::store::Change;

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

/// The time stays where the channel was secured before: what came without a key
/// since then is as little trusted after one more change of the token.
pub(super) fn secure(trust: &mut ChannelTrust, token: &TokenKey, now_ms: i64) {
    if !trust.secured {
        trust.secured_ms = now_ms;
    }
    trust.secured = true;
    trust.tokens = vec![token.clone()];
}

pub(super) fn open(trust: &mut ChannelTrust) -> Change {
    let change = if trust.secured { Change::Made } else { Change::Already };
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

pub(super) fn add_secret(trust: &mut ChannelTrust, key: &SecretKey) -> Stored {
    if trust.secrets.len() >= MAX_SECRETS {
        return Stored::Full;
    }
    trust.secrets.push(key.clone());
    Stored::Now
}

pub(super) fn remove_secret(trust: &mut ChannelTrust, id: &str) -> Change {
    let before = trust.secrets.len();
    trust.secrets.retain(|key| key.id != id);
    if trust.secrets.len() < before { Change::Made } else { Change::Already }
}

pub(super) fn secret_ids(trust: &ChannelTrust) -> Vec<String> {
    trust.secrets.iter().map(|key| key.id.clone()).collect()
}

/// Seals the secrets anew that another key than the first sealed. What no key
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
mod tests {
    use super::*;

    fn key(id: &str) -> TokenKey {
        TokenKey { id: id.to_owned(), sha256: String::new() }
    }

    #[test]
    fn a_token_is_32_random_bytes_of_which_only_the_hash_is_kept() {
        let (one, other) = (Secured::generate().expect("made"), Secured::generate().expect("made"));
        assert_eq!(one.token.expose_secret().len(), 43, "32 bytes in base64 without padding");
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        assert!(one.token.expose_secret().chars().all(allowed));
        assert_ne!(one.token.expose_secret(), other.token.expose_secret());
        assert_ne!(one.key.id, other.key.id);
        assert_eq!(one.key.sha256, token::sha256(one.token.expose_secret()));
        assert!(!format!("{one:?}").contains(one.token.expose_secret()));
    }

    #[test]
    fn a_new_token_replaces_the_former_and_the_channel_is_secured_since_the_first() {
        let mut trust = ChannelTrust::default();
        secure(&mut trust, &key("a"), 10);
        secure(&mut trust, &key("b"), 20);
        assert_eq!((trust.secured, trust.secured_ms), (true, 10));
        assert_eq!(trust.tokens, [key("b")]);
    }

    #[test]
    fn an_opened_channel_keeps_its_token_and_can_be_secured_anew() {
        let mut trust = ChannelTrust::default();
        assert_eq!(open(&mut trust), Change::Already);
        secure(&mut trust, &key("a"), 10);
        assert_eq!(open(&mut trust), Change::Made);
        assert_eq!((trust.secured, trust.secured_ms, trust.tokens.len()), (false, 0, 1));
        secure(&mut trust, &key("b"), 30);
        assert_eq!(trust.secured_ms, 30);
    }

    #[test]
    fn secrets_are_few_and_removed_by_their_id() {
        let mut trust = ChannelTrust::default();
        let secret = |n: usize| SecretKey { id: n.to_string(), sealed: String::new() };
        for n in 0..MAX_SECRETS {
            assert_eq!(add_secret(&mut trust, &secret(n)), Stored::Now);
        }
        assert_eq!(add_secret(&mut trust, &secret(9)), Stored::Full);
        assert_eq!(remove_secret(&mut trust, "9"), Change::Already);
        assert_eq!(remove_secret(&mut trust, "1"), Change::Made);
        assert_eq!(secret_ids(&trust), ["0", "2", "3", "4"]);
        assert_eq!(add_secret(&mut trust, &secret(9)), Stored::Now);
    }
}
