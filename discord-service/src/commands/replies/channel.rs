//! Replies about which channels Sentry may post into.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use serenity::model::Permissions;
use shared::ChannelId;

use super::{Reply, ReplyTexts, fields, mention, quoted};
use crate::{
    guilds::{Missing, permissions},
    store::WriteOutcome,
};

/// For what the bot would post in a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::commands) enum PurposeOfPosts {
    /// Somebody authorizes it.
    Authorization,
    /// A rule sends alerts there.
    Rule,
}

impl ReplyTexts<'_> {
    /// `channel`: what the guild has authorized, and `idle` rows of its list
    /// that have no effect.
    pub(in crate::commands) fn channels(
        &self,
        authorized: &[ChannelId],
        idle: &[ChannelId],
        closed: Option<Value>,
    ) -> Reply {
        let example = |words| self.names.example(words, "channel", "#example");
        let usage = format!("{}\n{}", example("channel authorize"), example("channel revoke"));
        let mut fields = vec![
            json!({"name": "Usage", "value": usage}),
            json!({"name": "Authorized Channels", "value": fields::list(authorized.iter().map(mention))}),
        ];
        if !idle.is_empty() {
            // As ids: nobody can click a deleted channel, but its id can be revoked.
            let ids = fields::list(idle.iter().map(|channel| format!("`{channel}`")));
            fields.push(
                json!({"name": "Without Effect (deleted, private, or another server's)", "value": ids}),
            );
        }
        fields.extend(closed);
        Reply::Embed(self.embed("SENTRY CHANNEL AUTHORIZATION", fields))
    }

    /// `channel authorize`, with the next steps when the public URL is known. A
    /// `secured` channel would refuse the URL without its token, which nobody can
    /// be told again.
    pub(in crate::commands) fn authorized(
        &self,
        channel: ChannelId,
        change: WriteOutcome,
        secured: bool,
    ) -> Reply {
        let first = match change {
            WriteOutcome::Changed => format!("{} is now authorized", mention(&channel)),
            WriteOutcome::Unchanged => format!("{} is already authorized", mention(&channel)),
        };
        let next = match self.webhook_url(channel) {
            _ if secured => self.keep_the_token(),
            Some(url) => self.steps(channel, &url),
            None => return first.into(),
        };
        format!("{first}\n{next}").into()
    }

    fn keep_the_token(&self) -> String {
        let [secure, open] = ["channel secure", "channel open"].map(|words| self.names.slash(words));
        format!(
            "It is secured, so Sentry needs the URL with the token.\n\
             Is the token lost? {secure} makes a new one.\n\
             {open} accepts the URL without a token."
        )
    }

    /// From here to the first alert. Discord renders the list.
    fn steps(&self, channel: ChannelId, url: &str) -> String {
        let [test, status] = ["test", "status"].map(|words| self.names.of(words));
        format!(
            "1. Copy this URL: `{url}`\n\
             2. Paste it into Sentry:\n\
             {INDENT}- as *Webhook URL*: Settings → Developer Settings → Create New Integration → Internal Integration. \
             Switch *Alert Rule Action* on. The bot needs a public certificate for this.\n\
             {INDENT}- or in an older project: Settings → Legacy Integrations → WebHooks → *Callback URLs*.\n\
             3. Add an alert rule to the project. Its action is the webhook: your integration, or *WebHooks*. \
             Sentry sends nothing without a rule.\n\
             4. Use {test} in {}. If an alert is missing, {status} says why.",
            mention(&channel)
        )
    }

    /// To a channel in which the bot cannot post. A time-out takes permissions that
    /// nobody can give back before its end.
    pub(in crate::commands) fn cannot_post(
        &self,
        channel: ChannelId,
        purpose: PurposeOfPosts,
        missing: Permissions,
        timed_out_until: Option<DateTime<Utc>>,
    ) -> Reply {
        let (so, command) = match purpose {
            PurposeOfPosts::Authorization => ("it is not authorized", "channel authorize"),
            PurposeOfPosts::Rule => ("no rule can send alerts there", "rule add"),
        };
        let missing = permissions::names(missing).join(", ");
        let remedy = match timed_out_until {
            Some(until) => format!("My time-out in this server ends <t:{}:R>.", until.timestamp()),
            None => "Give it to me in the channel's settings.".to_owned(),
        };
        format!(
            "I cannot post in {}, so {so}. Missing permission: {missing}\n\
             {remedy} Then use {} again.",
            mention(&channel),
            self.names.of(command)
        )
        .into()
    }
}

/// Makes an item part of the one above it.
const INDENT: &str = "   ";

/// To a channel that this guild does not offer.
pub(in crate::commands) fn channel_missing(missing: Missing) -> Reply {
    match missing {
        Missing::Nowhere => "That channel does not exist in this server.",
        Missing::OtherGuild => "That channel belongs to another server.",
        Missing::NoAccess => {
            "I cannot see that channel.\n\
             If it is private, give me View Channel there. Into a private thread, invite me with a mention."
        }
        Missing::Ambiguous => {
            "Several channels have that name. Pick one from the list that Discord shows after `#`, or use its id."
        }
    }
    .into()
}

/// To a category, a forum and the like.
pub(in crate::commands) fn takes_no_messages(channel: ChannelId) -> Reply {
    format!("{} cannot take messages. Choose a channel that people write in.", mention(&channel)).into()
}

/// `channel revoke`.
pub(in crate::commands) fn revoked(channel: ChannelId, change: WriteOutcome) -> Reply {
    match change {
        WriteOutcome::Changed => format!("Revoked access from {}", mention(&channel)),
        WriteOutcome::Unchanged => format!("{} is not yet authorized", mention(&channel)),
    }
    .into()
}

/// What comes after a reply about a channel that was closed, in Discord's `words`. The
/// command opens it.
pub(in crate::commands) fn was_closed(words: &str) -> String {
    format!("\nDiscord refused posts there until now: {}\nThe next alert tries again.", quoted(words))
}
