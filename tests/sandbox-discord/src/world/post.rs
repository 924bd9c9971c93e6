//! Putting a new message into a channel.

use anyhow::ensure;
use serde_json::{Value, json};

use super::{World, channel::Channel, message::Stored};
use crate::{
    error::{ApiError, FormErrors},
    limits::{
        mentions::{AllowedMentions, Pings},
        message::{Draft, Reply},
    },
    permissions::{
        EMBED_LINKS, MANAGE_THREADS, MENTION_EVERYONE, READ_MESSAGE_HISTORY, SEND_MESSAGES,
        SEND_MESSAGES_IN_THREADS, VIEW_CHANNEL,
    },
};

impl World {
    /// Posts the user's draft, as far as they may, and sends the event.
    pub(crate) fn post(
        &mut self,
        channel_id: u64,
        author: u64,
        draft: &Draft,
        received: Value,
    ) -> Result<Stored, ApiError> {
        let channel = self.channels.get(&channel_id).ok_or_else(ApiError::unknown_channel)?;
        let permissions = self.permissions(channel, author);
        may_write(channel, permissions)?;
        let reply_to = self.reply_to(channel, permissions, draft.reply)?;
        let mut message = Stored::new(channel_id, author, draft, received);
        message.reply_to = reply_to;
        if permissions & EMBED_LINKS == 0 {
            // Discord says nothing about this. The embeds are simply missing.
            message.embeds.clear();
        }
        if message.content.is_empty() && message.embeds.is_empty() && message.components.is_empty() {
            return Err(ApiError::empty_message());
        }
        message.highlights = self.highlights(&message, &draft.allowed_mentions);
        message.pings = message.highlights.clone();
        self.keep(message.clone());
        Ok(message)
    }

    /// A user writes a plain message. Returns its id.
    pub(crate) fn say(&mut self, user: u64, channel: u64, content: &str) -> anyhow::Result<u64> {
        ensure!(self.users.contains_key(&user), "nobody has the id {user}");
        let draft = Draft::check(&json!({ "content": content }))?;
        Ok(self.post(channel, user, &draft, Value::Null)?.id)
    }

    fn keep(&mut self, message: Stored) {
        self.wake(message.channel, message.author);
        if let Some(channel) = self.channels.get_mut(&message.channel) {
            channel.messages.insert(message.id, message.clone());
        }
        self.dispatch_message("MESSAGE_CREATE", &message);
    }

    /// The message that is answered.
    fn reply_to(
        &self,
        channel: &Channel,
        permissions: u64,
        reply: Option<Reply>,
    ) -> Result<Option<u64>, ApiError> {
        let Some(reply) = reply else {
            return Ok(None);
        };
        if permissions & READ_MESSAGE_HISTORY == 0 {
            let message = "Cannot reply without permission to read message history";
            return Err(ApiError::new(400, 160_002, message));
        }
        let here = reply.channel.is_none_or(|id| id == channel.id);
        match channel.messages.get(&reply.message).filter(|_| here) {
            Some(original) => Ok(Some(original.id)),
            None if reply.must_exist => {
                let mut errors = FormErrors::default();
                let path = ["message_reference".to_owned()];
                errors.add(&path, "REPLIES_UNKNOWN_MESSAGE", "Unknown message");
                errors.check().map(|()| None)
            }
            None => Ok(None),
        }
    }

    /// Edits a message of the bot.
    pub(crate) fn change(&self, message: &mut Stored, draft: Draft, received: Value) -> Result<(), ApiError> {
        let (allowed, rewritten) = (draft.allowed_mentions.clone(), draft.content.is_some());
        message.change(draft, received)?;
        if rewritten {
            message.highlights = self.highlights(message, &allowed);
        }
        Ok(())
    }

    /// The users and roles that the message really mentions. They must exist
    /// and be here. A role must be mentionable, unless the writer may mention
    /// everyone.
    pub(crate) fn highlights(&self, message: &Stored, allowed: &AllowedMentions) -> Pings {
        let Some(channel) = self.channels.get(&message.channel) else { return Pings::default() };
        let original = message.reply_to.and_then(|id| channel.messages.get(&id));
        let pings = allowed.pings(&message.content, original.map(|original| original.author));
        let all = self.permissions(channel, message.author) & MENTION_EVERYONE != 0;
        let guild = channel.guild.and_then(|id| self.guilds.get(&id));
        let present = |id: &u64| match guild {
            Some(guild) => guild.members.contains_key(id),
            None => self.users.contains_key(id),
        };
        let pinged = |id: &u64| {
            let role = guild.and_then(|guild| guild.roles.get(id).filter(|_| *id != guild.id));
            role.is_some_and(|role| all || role.mentionable)
        };
        Pings {
            users: pings.users.into_iter().filter(present).collect(),
            roles: pings.roles.into_iter().filter(pinged).collect(),
            everyone: pings.everyone && all,
        }
    }
}

pub(crate) fn may_write(channel: &Channel, permissions: u64) -> Result<(), ApiError> {
    if permissions & VIEW_CHANNEL == 0 {
        return Err(ApiError::missing_access());
    }
    if !channel.kind.takes_messages() {
        return Err(ApiError::not_a_text_channel());
    }
    let send = if channel.kind.is_thread() { SEND_MESSAGES_IN_THREADS } else { SEND_MESSAGES };
    if permissions & send == 0 {
        return Err(ApiError::missing_permissions());
    }
    if channel.locked && permissions & MANAGE_THREADS == 0 {
        return Err(ApiError::new(403, 160_005, "Thread is locked"));
    }
    Ok(())
}
