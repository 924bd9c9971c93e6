//! `channel secure`, `channel open` and `channel secret`: what a channel trusts beside
//! the source address.

use secrecy::{ExposeSecret as _, SecretString};
use shared::{ChannelId, trust::ClientSecret};

use super::{
    Asker, CommandError, Commands,
    replies::{self, Reply},
    settle,
};
use crate::{
    guilds::{Channel, ChannelArgument},
    store::WriteOutcome,
    trust::{MAX_SECRETS, Secured, TrustError},
};

/// The name of the command in metrics and logs.
pub(super) const SECURE: &str = "channel secure";

/// How long a client secret can be. Sentry's have 64 characters; tokens of other
/// kinds are no longer than this either.
pub(super) const SECRET_CHARS: std::ops::RangeInclusive<usize> = 16..=256;

/// A channel that is about to demand a new token, which nobody has yet.
pub(super) struct Securing {
    channel: ChannelId,
    authorized: bool,
    secured: Secured,
}

impl Commands {
    /// Makes a token, also for a channel that is not authorized: an admin may want to
    /// secure it before the first alert. Stores nothing.
    pub(super) async fn prepare_to_secure(
        &self,
        by: Asker,
        argument: &ChannelArgument,
    ) -> Result<Result<Securing, Reply>, CommandError> {
        if !self.manages_messages_here(by).await? {
            return Ok(Err(replies::no_permission()));
        }
        let channel = match self.postable(by, argument).await? {
            Ok(channel) => channel.id,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let authorized = self.store.channels(by.guild).await?.contains(&channel);
        let secured = Secured::generate().map_err(TrustError::from)?;
        Ok(Ok(Securing { channel, authorized, secured }))
    }

    /// The reply that hands the token out. It must be shown before the channel demands the
    /// token: a token that nobody has would lock Sentry out.
    pub(super) fn hand_out(&self, by: Asker, securing: &Securing) -> Reply {
        self.replies(by.form).securing(securing.channel, &securing.secured.token)
    }

    /// Makes the channel demand the token that was handed out.
    pub(super) async fn secure(&self, by: Asker, securing: &Securing) -> Reply {
        let Securing { channel, authorized, secured } = securing;
        if let Err(error) = self.trusts.secure(*channel, secured).await {
            settle(by, SECURE, Err(error.into()));
            return self.replies(by.form).perhaps_secured(*channel, &secured.token);
        }
        tracing::info!(channel.id = %channel, user.id = %by.user, key.id = secured.key.id, "a channel was secured with a new token");
        settle(by, SECURE, Ok(self.replies(by.form).secured(*channel, &secured.token, *authorized)))
    }

    pub(super) async fn open(&self, by: Asker, argument: &ChannelArgument) -> Result<Reply, CommandError> {
        let channel = match self.postable(by, argument).await? {
            Ok(channel) => channel.id,
            Err(refusal) => return Ok(refusal),
        };
        let change = self.trusts.open(channel).await?;
        if change == WriteOutcome::Changed {
            tracing::info!(channel.id = %channel, user.id = %by.user, "a channel was opened");
        }
        Ok(replies::opened(channel, change))
    }

    /// The channel, if the user may hand in a client secret for it; else why not.
    pub(super) async fn takes_secret(
        &self,
        by: Asker,
        argument: &ChannelArgument,
    ) -> Result<Result<Channel, Reply>, CommandError> {
        if !self.manages_messages_here(by).await? {
            return Ok(Err(replies::no_permission()));
        }
        if !self.trusts.can_seal() {
            return Ok(Err(self.replies(by.form).no_secrets_key()));
        }
        let channel = match self.postable(by, argument).await? {
            Ok(channel) => channel,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let ids = self.trusts.secrets(channel.id).await?;
        if ids.len() < MAX_SECRETS {
            return Ok(Ok(channel));
        }
        Ok(Err(self.replies(by.form).secrets_full(channel.id, &ids)))
    }

    /// Takes the secret from the modal. Time has passed, so the permission is checked
    /// again.
    pub(super) async fn add_secret(
        &self,
        by: Asker,
        channel: ChannelId,
        typed: &SecretString,
    ) -> Result<Reply, CommandError> {
        if let Err(refusal) = self.takes_secret(by, &ChannelArgument::Id(channel)).await? {
            return Ok(refusal);
        }
        let Some(secret) = client_secret(typed) else { return Ok(replies::not_a_secret()) };
        let (stored, ids) = self.trusts.add_secret(channel, &secret).await?;
        tracing::info!(channel.id = %channel, user.id = %by.user, secrets = ids.len(), ?stored, "a client secret was handed in");
        Ok(self.replies(by.form).secret_stored(channel, stored, &ids))
    }

    pub(super) async fn remove_secret(
        &self,
        by: Asker,
        argument: &ChannelArgument,
        id: &str,
    ) -> Result<Reply, CommandError> {
        let channel = match self.postable(by, argument).await? {
            Ok(channel) => channel.id,
            Err(refusal) => return Ok(refusal),
        };
        let (change, ids) = self.trusts.remove_secret(channel, id).await?;
        if change == WriteOutcome::Changed {
            tracing::info!(channel.id = %channel, user.id = %by.user, key.id = id, "a client secret was removed");
        }
        Ok(replies::secret_removed(channel, id, change, &ids))
    }
}

/// The typed text as a client secret, if it is one word of a fitting length.
fn client_secret(typed: &SecretString) -> Option<ClientSecret> {
    let text = typed.expose_secret().trim();
    let fits = SECRET_CHARS.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    fits.then(|| ClientSecret::from(text.as_bytes().to_vec()))
}

#[cfg(test)]
mod tests;
