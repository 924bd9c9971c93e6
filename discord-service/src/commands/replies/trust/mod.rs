//! Replies about a channel's token and its client secrets.

use secrecy::{ExposeSecret as _, SecretString};
use shared::ChannelId;

use super::{Reply, ReplyTexts, code, mention};
use crate::{
    store::WriteOutcome,
    trust::{MAX_SECRETS, SecretOutcome},
};

impl ReplyTexts<'_> {
    /// `channel secure`, before the token is in force. Whatever happens then, it says
    /// what to do.
    pub(in crate::commands) fn securing(&self, channel: ChannelId, token: &SecretString) -> Reply {
        format!(
            "Making a new token for {}. It is not in force yet: wait until this message changes. \
             If it does not change within a minute, use this command again.\n{}",
            mention(&channel),
            self.with_token(channel, token)
        )
        .into()
    }

    /// `channel secure`, once the token is in force.
    pub(in crate::commands) fn secured(
        &self,
        channel: ChannelId,
        token: &SecretString,
        authorized: bool,
    ) -> Reply {
        let mut text = format!(
            "{} is now secured: it takes only URLs with this new token, or signed requests.\n\
             {}\n\
             You see the token only this once. Earlier tokens no longer work.\n\
             Is it lost, or does somebody else know it? Use this command again.",
            mention(&channel),
            self.with_token(channel, token)
        );
        if !authorized {
            let authorize = self.names.slash("channel authorize");
            text += &format!("\nThe channel is not authorized yet: use {authorize}.");
        }
        text.into()
    }

    /// `channel secure`, where the token may be in force or not.
    pub(in crate::commands) fn perhaps_secured(&self, channel: ChannelId, token: &SecretString) -> Reply {
        format!(
            "The store is unavailable, so it is not certain that {} takes this token. \
             Use this command again in a minute. Until then keep the token: it may be in force.\n{}",
            mention(&channel),
            self.with_token(channel, token)
        )
        .into()
    }

    fn with_token(&self, channel: ChannelId, token: &SecretString) -> String {
        let token = token.expose_secret();
        match self.webhook_url(channel) {
            Some(url) => {
                format!("Paste this URL into Sentry, in place of the old one: `{url}&token={token}`")
            }
            None => format!("Add this to the URL in Sentry: `&token={token}`"),
        }
    }

    /// `channel secret`, where nothing can be sealed.
    pub(in crate::commands) fn no_secrets_key(&self) -> Reply {
        format!(
            "I cannot keep client secrets: my operator has to set `SECRETS_KEY` for both services. \
             `openssl rand -base64 32` makes one.\n\
             A token works without: {}",
            self.names.slash("channel secure")
        )
        .into()
    }

    /// Before asking for one more client secret than a channel can have.
    pub(in crate::commands) fn secrets_full(&self, channel: ChannelId, ids: &[String]) -> Reply {
        format!(
            "{} has {MAX_SECRETS} client secrets already. Remove one first: {} with the option `remove`.\n{}",
            mention(&channel),
            self.names.slash("channel secret"),
            list(ids)
        )
        .into()
    }

    /// `channel secret`, after one was handed in.
    pub(in crate::commands) fn secret_stored(
        &self,
        channel: ChannelId,
        stored: SecretOutcome,
        ids: &[String],
    ) -> Reply {
        let first = match stored {
            SecretOutcome::Now => format!(
                "Stored the client secret for {}. It takes requests signed with this secret, and refuses other signatures.",
                mention(&channel)
            ),
            SecretOutcome::Already => format!("{} has this client secret already", mention(&channel)),
            SecretOutcome::Full => return self.secrets_full(channel, ids),
        };
        format!("{first}\n{}", list(ids)).into()
    }
}

/// `channel open`.
pub(in crate::commands) fn opened(channel: ChannelId, change: WriteOutcome) -> Reply {
    let channel = mention(&channel);
    match change {
        WriteOutcome::Changed => {
            format!("{channel} takes all alerts again. URLs with its token go on working.").into()
        }
        WriteOutcome::Unchanged => format!("{channel} is not secured").into(),
    }
}

/// To a text that can be no client secret.
pub(in crate::commands) fn not_a_secret() -> Reply {
    "That is no client secret. Copy it from Sentry: Settings → Developer Settings → your integration → Client Secret."
        .into()
}

/// `channel secret` with `remove`.
pub(in crate::commands) fn secret_removed(
    channel: ChannelId,
    id: &str,
    change: WriteOutcome,
    ids: &[String],
) -> Reply {
    let (channel, id) = (mention(&channel), code(id));
    let first = match change {
        WriteOutcome::Changed => {
            format!(
                "Removed the client secret {id} of {channel}. Alerts that still wait under it are not posted."
            )
        }
        WriteOutcome::Unchanged => format!("{channel} has no client secret {id}"),
    };
    format!("{first}\n{}", list(ids)).into()
}

/// The names of a channel's client secrets, oldest first. They reveal nothing of the
/// secrets.
fn list(ids: &[String]) -> String {
    if ids.is_empty() {
        return "It has no client secrets.".to_owned();
    }
    let ids: Vec<_> = ids.iter().map(|id| code(id)).collect();
    format!("Its client secrets, oldest first: {}", ids.join(", "))
}

#[cfg(test)]
mod tests;
