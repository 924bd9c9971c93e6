//! Every word that the bot answers, a function per reply. The texts are part of
//! the contract with its users; the tests hold them exactly.

mod fields;
mod help;
mod project;
mod remedies;
mod status;
mod trust;

use serde_json::{Value, json};
use serenity::model::Permissions;
use shared::{ChannelId, text::cut};
use url::Url;

pub(super) use self::project::project_revoked;
pub(super) use self::trust::{
    no_secrets_key, not_a_secret, opened, secret_removed, secret_stored, secrets_full,
};
use super::parse::SlashOnly;
use crate::{
    dead_letters::Replayed,
    guilds::Missing,
    render::{colours, link},
    settings::Settings,
    store::WriteOutcome,
};

/// An answer, however it is sent.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Reply {
    /// Plain text.
    Text(String),
    /// One embed, as Discord takes it.
    Embed(Value),
}

impl Reply {
    /// Puts it into the body of a message.
    pub(super) fn write_into(&self, message: &mut Value) {
        match self {
            Self::Text(text) => message["content"] = text.as_str().into(),
            Self::Embed(embed) => message["embeds"] = json!([embed]),
        }
    }
}

impl Reply {
    /// Adds to a text.
    pub(super) fn and(self, more: &str) -> Self {
        match self {
            Self::Text(text) => Self::Text(text + more),
            embed @ Self::Embed(_) => embed,
        }
    }
}

impl From<String> for Reply {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for Reply {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// The replies that depend on settings; the others are plain functions.
#[derive(Debug, Clone)]
pub(super) struct Replies {
    /// The word that commands begin with.
    pub(super) prefix: String,
    glyph_url: Url,
    public_url: Option<Url>,
}

impl Replies {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            prefix: settings.command_prefix.clone(),
            glyph_url: settings.glyph_url.clone(),
            public_url: settings.public_url.clone(),
        }
    }

    /// To a command that works only in authorized channels.
    pub(super) fn not_authorized(&self) -> Reply {
        let prefix = &self.prefix;
        format!("This channel is not authorized. Use `{prefix} channel authorize` to authorize channels.")
            .into()
    }

    /// To a word that the bot does not know.
    pub(super) fn unknown_word(&self) -> Reply {
        format!("Unknown command. Use `{} h` to see all commands.", self.prefix).into()
    }

    /// `channel`: what the guild has authorized, and `idle` rows of its list
    /// that have no effect.
    pub(super) fn channels(
        &self,
        authorized: &[ChannelId],
        idle: &[ChannelId],
        closed: Option<Value>,
    ) -> Reply {
        let prefix = &self.prefix;
        let usage = format!("`{prefix} channel authorize #example`\n`{prefix} channel revoke #example`");
        let mut fields = vec![
            json!({"name": "Usage", "value": usage}),
            json!({"name": "Authorized Channels", "value": fields::list(authorized.iter().map(mention))}),
        ];
        if !idle.is_empty() {
            // As ids: nobody can click a deleted channel, but its id can be revoked.
            let ids = fields::list(idle.iter().map(|channel| format!("`{channel}`")));
            fields.push(
                json!({"name": "Without Effect (deleted, private, or of another guild)", "value": ids}),
            );
        }
        fields.extend(closed);
        Reply::Embed(self.embed("SENTRY CHANNEL AUTHORIZATION", fields))
    }

    /// `channel authorize`, with the next step when the public URL is known. A
    /// `secured` channel would refuse the URL without its token, which nobody can
    /// be told again.
    pub(super) fn authorized(&self, channel: ChannelId, change: WriteOutcome, secured: bool) -> Reply {
        let first = match change {
            WriteOutcome::Changed => format!("{} is now authorized", mention(&channel)),
            WriteOutcome::Unchanged => format!("{} is already authorized", mention(&channel)),
        };
        if secured {
            return format!(
                "{first}\n\
                 It is secured: it refuses the URL without its token, except for signed requests. Use the URL that \
                 `/sentry channel secure` showed.\n\
                 If that is lost, use `/sentry channel secure` again: it shows a URL with a new token. \
                 Or use `/sentry channel open`: then no token is needed."
            )
            .into();
        }
        let Some(url) = self.webhook_url(channel) else {
            return first.into();
        };
        let prefix = &self.prefix;
        format!(
            "{first}\nURL to paste into Sentry's webhooks: `{url}`\n\
             1. Legacy webhooks, where the project still offers them: Settings → Projects → *the project* → \
             Legacy Integrations → WebHooks: paste it into *Callback URLs*. Alert rule's action: *WebHooks*.\n\
             2. Otherwise an internal integration: Settings → Developer Settings → Create New Integration → \
             Internal Integration: paste it into *Webhook URL* and switch *Alert Rule Action* on. Alert rule's \
             action: the integration's name. Here Sentry verifies the certificate: it must be of a public authority.\n\
             Sentry sends nothing before the project has an alert rule with the webhook action.\n\
             Then `{prefix} test` in the channel tries the rest of the way, and `{prefix} status` says what did not arrive and why."
        )
        .into()
    }

    /// Where Sentry is to send this channel's alerts, when that is known.
    fn webhook_url(&self, channel: ChannelId) -> Option<String> {
        let base = self.public_url.as_ref()?.as_str().trim_end_matches('/');
        Some(format!("{base}/sentry-bot/channel?id={channel}"))
    }

    pub(super) fn embed(&self, title: &str, fields: Vec<Value>) -> Value {
        let mut embed =
            json!({"title": format!("***{title}***"), "color": colours::DEFAULT, "fields": fields});
        // A glyph that Discord would refuse must not cost the whole reply.
        if link::is_linkable(&self.glyph_url) {
            embed["thumbnail"] = json!({"url": self.glyph_url.as_str()});
        }
        embed
    }
}

/// To a user without Manage Messages, here or in the named channel.
pub(super) fn no_permission() -> Reply {
    "You have no sufficient permission in this guild to use this command. Please contact guild administrator."
        .into()
}

/// To an argument that is no channel at all.
pub(super) fn not_a_channel() -> Reply {
    "Please input the correct channel format, e.g. `#example`".into()
}

/// To an argument that is no slug.
pub(super) fn not_a_slug() -> Reply {
    "Please input the correct project slug, e.g. `project-name-slug`".into()
}

/// To a channel that this guild does not offer.
pub(super) fn channel_missing(missing: Missing) -> Reply {
    match missing {
        Missing::Nowhere => "That channel does not exist in this guild.",
        Missing::OtherGuild => "That channel belongs to another guild.",
        Missing::NoAccess => {
            "I have no access to that channel: it is private, or it belongs to another guild."
        }
        Missing::Ambiguous => {
            "Several channels of this guild have that name. Please use the channel's id instead."
        }
    }
    .into()
}

/// To a category, a forum and the like.
pub(super) fn takes_no_messages(channel: ChannelId) -> Reply {
    format!("{} cannot take messages. Please choose a channel that people write in.", mention(&channel))
        .into()
}

/// To a channel in which the bot cannot post.
pub(super) fn cannot_post(channel: ChannelId, missing: Permissions) -> Reply {
    let missing = missing.get_permission_names().join(", ");
    format!("I cannot post in {}, so it is not authorized. Missing permission: {missing}", mention(&channel))
        .into()
}

/// `channel revoke`.
pub(super) fn revoked(channel: ChannelId, change: WriteOutcome) -> Reply {
    match change {
        WriteOutcome::Changed => format!("Revoked access from {}", mention(&channel)),
        WriteOutcome::Unchanged => format!("{} is not yet authorized", mention(&channel)),
    }
    .into()
}

/// To a command whose reply must not be seen by others.
pub(super) fn slash_only(command: SlashOnly) -> Reply {
    match command {
        SlashOnly::Secure => "Use `/sentry channel secure` so that the token stays private",
        SlashOnly::Open => {
            "Use `/sentry channel secure` so that the token stays private\n\
             `/sentry channel open` takes that back."
        }
        SlashOnly::Secret => "Use `/sentry channel secret` so that the secret stays private",
    }
    .into()
}

/// `replay`, of this channel. `closed`: why Discord refused posts there, if it did.
pub(super) fn replaying(replayed: Replayed, closed: Option<&str>) -> Reply {
    let mut text = match replayed.alerts {
        0 if replayed.ended_early => "I cannot replay now.".to_owned(),
        0 => "There is nothing to replay in this channel.".to_owned(),
        1 => "Replaying 1 alert".to_owned(),
        alerts => format!("Replaying {alerts} alerts"),
    };
    match replayed.unreadable {
        0 => {}
        1 => text += "\nI cannot read 1 dead letter. It stays.",
        unreadable => text += &format!("\nI cannot read {unreadable} dead letters. They stay."),
    }
    if replayed.ended_early {
        text += "\nThe queue is full. The others stay: use `replay` again after these are posted.";
    }
    // Only a dead letter that goes back opens the channel.
    if let Some(why) = closed.filter(|_| replayed.alerts > 0) {
        text += &was_closed(why);
    }
    text.into()
}

/// What comes after a reply about a channel that was closed: the command opens it.
pub(super) fn was_closed(why: &str) -> String {
    format!("\nDiscord refused posts in this channel until now: {why}\nThe next alert tries again.")
}

/// To a slash command in a private message.
pub(super) fn guilds_only() -> Reply {
    "Please use this command in a channel of a server.".into()
}

/// To a slash command that another version of the bot has registered.
pub(super) fn unknown_slash() -> Reply {
    "I do not know this command, or no longer. Please reload Discord and try again.".into()
}

/// To a button that this build does not know.
pub(super) fn unknown_button() -> Reply {
    "I do not know this button, or no longer. Please open the issue in Sentry.".into()
}

/// To a person who wants to see a stack trace after three days.
pub(super) fn stack_trace_gone() -> Reply {
    "The stack trace is no longer kept: open the issue in Sentry".into()
}

/// To a slash command of a guild that uses too many of them.
pub(super) fn too_many() -> Reply {
    "Too many commands at once. Please try again in a minute.".into()
}

/// While the store cannot be asked.
pub(super) fn store_unavailable() -> Reply {
    "The store is unavailable. Please try again in a minute.".into()
}

/// While Discord does not answer the bot's own questions.
pub(super) fn discord_unavailable() -> Reply {
    "Discord does not answer my questions at the moment. Please try again in a minute.".into()
}

/// Where an embed is refused.
pub(super) fn no_embeds() -> Reply {
    "I need the permission Embed Links in this channel to answer.".into()
}

fn mention(channel: &ChannelId) -> String {
    format!("<#{channel}>")
}

/// A project's slug, or a key's id, as code. An old database may hold any text.
fn code(slug: &str) -> String {
    let kept: String =
        slug.chars().filter(|c| c.is_alphanumeric() || c.is_ascii_punctuation() && *c != '`').collect();
    format!("`{}`", cut(if kept.is_empty() { "?" } else { &kept }, 100))
}

#[cfg(test)]
mod tests;
