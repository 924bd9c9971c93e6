//! `channel …`: which channels Sentry may post into.

use chrono::Utc;
use futures::{StreamExt as _, stream};
use shared::ChannelId;

use super::{
    Asker, CommandError, Commands,
    parse::{ChannelCommand, SlashOnly},
    replies::{self, PurposeOfPosts, Reply},
};
use crate::{
    guilds::{Channel, ChannelArgument, Kind},
    store::WriteOutcome,
};

/// How many rows of a guild's list the overview asks Discord about, besides the
/// channels that it names anyway. They are threads, and rows without effect.
const MAX_LOOKUPS: usize = 20;
/// How many of them at once.
const LOOKUPS_AT_ONCE: usize = 5;

impl Commands {
    /// Carries out a command of somebody who manages messages in this channel.
    pub(super) async fn channel(&self, by: Asker, command: ChannelCommand) -> Result<Reply, CommandError> {
        let slash_only = |command| self.replies(by.form).slash_only(command);
        match command {
            ChannelCommand::Overview => self.list_channels(by).await,
            ChannelCommand::Authorize(argument) => {
                self.authorize(by, &argument.unwrap_or(ChannelArgument::Id(by.channel))).await
            }
            ChannelCommand::Revoke(argument) => self.revoke(by, &argument).await,
            // Its answer is shown in two steps, by `show_securing`.
            ChannelCommand::Secure(_) => Ok(slash_only(SlashOnly::Secure)),
            ChannelCommand::Open(argument) => self.open(by, &argument).await,
            // The secret is asked for in a modal, by `ask_for_secret`.
            ChannelCommand::AddSecret(_) => Ok(slash_only(SlashOnly::Secret)),
            ChannelCommand::RemoveSecret(argument, id) => self.remove_secret(by, &argument, &id).await,
            ChannelCommand::SlashOnly(command) => Ok(slash_only(command)),
        }
    }

    async fn authorize(&self, by: Asker, argument: &ChannelArgument) -> Result<Reply, CommandError> {
        let channel = match self.postable(by, argument).await? {
            Ok(channel) => channel,
            Err(refusal) => return Ok(refusal),
        };
        if let Some(refusal) = self.cannot_post(by, &channel, PurposeOfPosts::Authorization).await? {
            return Ok(refusal);
        }
        let secured = self.trusts.is_secured(channel.id).await?;
        let change = self.store.authorize(by.guild, channel.id).await?;
        // `admit` opens the channel, so this comes first.
        let closed = self.why_closed(channel.id).await;
        self.authority.admit(channel.id, by.guild).await.map_err(CommandError::Nats)?;
        let reply = self.replies(by.form).authorized(channel.id, change, secured);
        Ok(match closed {
            Some(why) => reply.and(&replies::was_closed(&why)),
            None => reply,
        })
    }

    /// The reply that names the permissions which the bot lacks to post there, if it does.
    pub(super) async fn cannot_post(
        &self,
        by: Asker,
        channel: &Channel,
        purpose: PurposeOfPosts,
    ) -> Result<Option<Reply>, CommandError> {
        let missing = channel.needed_to_post() - self.facts.granted(by.guild, by.bot, channel).await?;
        if missing.is_empty() {
            return Ok(None);
        }
        let timed_out_until = self.facts.timed_out_until(by.guild, by.bot).await?;
        Ok(Some(self.replies(by.form).cannot_post(channel.id, purpose, missing, timed_out_until)))
    }

    /// The named channel, if it takes messages and the user manages them there; else the
    /// reply that says why not.
    pub(super) async fn postable(
        &self,
        by: Asker,
        argument: &ChannelArgument,
    ) -> Result<Result<Channel, Reply>, CommandError> {
        let channel = match self.facts.find(by.guild, argument).await? {
            Ok(channel) => channel,
            Err(missing) => return Ok(Err(replies::channel_missing(missing))),
        };
        if !self.manages_messages(by, &channel).await? {
            return Ok(Err(replies::no_permission()));
        }
        let takes_messages = channel.kind != Kind::Other;
        Ok(if takes_messages { Ok(channel) } else { Err(replies::takes_no_messages(channel.id)) })
    }

    /// Works for every row of the guild's list. Channels may be gone or belong to another
    /// guild, and nobody else could remove their rows.
    async fn revoke(&self, by: Asker, argument: &ChannelArgument) -> Result<Reply, CommandError> {
        let found = self.facts.find(by.guild, argument).await?;
        let id = match (&found, argument) {
            (Ok(channel), _) => channel.id,
            (Err(_), ChannelArgument::Id(id)) => *id,
            (Err(missing), ChannelArgument::Name(_)) => return Ok(replies::channel_missing(*missing)),
        };
        if let Ok(channel) = &found
            && !self.manages_messages(by, channel).await?
        {
            return Ok(replies::no_permission());
        }
        let change = self.store.revoke(by.guild, id).await?;
        Ok(match (change, found) {
            (WriteOutcome::Unchanged, Err(missing)) => replies::channel_missing(missing),
            (WriteOutcome::Unchanged, Ok(Channel { kind: Kind::Other, .. })) => {
                replies::takes_no_messages(id)
            }
            (change, _) => {
                let homes = self.homes_of(by, id).await;
                let reply = replies::revoked(id, change);
                if homes.is_empty() { reply } else { reply.and(&replies::target_revoked(&homes)) }
            }
        })
    }

    async fn list_channels(&self, by: Asker) -> Result<Reply, CommandError> {
        let guild = by.guild;
        let listed = self.store.channels(guild).await?;
        let (_, unknown) = self.facts.named(guild, &listed).await?;
        let idle: Vec<ChannelId> = stream::iter(unknown.into_iter().take(MAX_LOOKUPS))
            .map(|channel| async move { (channel, self.facts.is_idle(guild, channel).await) })
            .buffered(LOOKUPS_AT_ONCE)
            .filter_map(|(channel, idle)| async move { idle.then_some(channel) })
            .collect()
            .await;
        let authorized: Vec<ChannelId> =
            listed.into_iter().filter(|channel| !idle.contains(channel)).collect();
        let all = [authorized.as_slice(), &idle].concat();
        let closed = self.diagnosis.closed(&all).await.map_err(CommandError::Nats)?;
        let replies = self.replies(by.form);
        let closed = replies.closed(&closed, Utc::now().timestamp_millis());
        Ok(replies.channels(&authorized, &idle, closed))
    }
}
