//! The state of the stand-in: everything that Discord would know.

pub(crate) mod channel;
pub(crate) mod guild;
mod members;
pub(crate) mod message;
pub(crate) mod post;
mod threads;

use std::collections::BTreeMap;

use serde_json::Value;

use self::{
    channel::{Channel, ChannelKind, Overwrite, Target},
    guild::{Guild, User},
    message::{Message, Stored},
};
use crate::{
    config::Config, error::ApiError, faults::Faults, gateway::sessions::Sessions, interactions::Interactions,
    limits::mentions, nonce::Nonces, permissions::VIEW_CHANNEL, ratelimit::RateLimits,
    rest::commands::Commands, snowflake, stats::Stats,
};

/// All of it, behind one lock.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) config: Config,
    /// The bot's user id, which is its application's id as well.
    pub(crate) bot: u64,
    pub(crate) users: BTreeMap<u64, User>,
    pub(crate) guilds: BTreeMap<u64, Guild>,
    pub(crate) channels: BTreeMap<u64, Channel>,
    pub(crate) commands: Commands,
    pub(crate) interactions: Interactions,
    pub(crate) nonces: Nonces,
    pub(crate) rates: RateLimits,
    pub(crate) faults: Faults,
    pub(crate) stats: Stats,
    pub(crate) sessions: Sessions,
}

impl World {
    pub(crate) fn new(config: Config) -> Self {
        let bot = config.bot.clone();
        let rates = RateLimits::new(config.bucket_per_channel);
        Self {
            config,
            bot: bot.id,
            users: BTreeMap::from([(bot.id, bot)]),
            guilds: BTreeMap::new(),
            channels: BTreeMap::new(),
            commands: Commands::default(),
            interactions: Interactions::default(),
            nonces: Nonces::default(),
            rates,
            faults: Faults::default(),
            stats: Stats::default(),
            sessions: Sessions::default(),
        }
    }

    /// Adds a guild with the bot in it, under a role of its own.
    pub(crate) fn add_guild(&mut self, mut guild: Guild) -> u64 {
        guild.complete();
        let id = guild.id;
        self.guilds.insert(id, guild);
        self.enter(id, self.bot);
        self.dispatch_guild_create(id);
        id
    }

    pub(crate) fn add_channel(&mut self, guild: Option<u64>, mut channel: Channel) -> u64 {
        channel.guild = guild;
        let (id, json, thread) = (channel.id, channel.json(), channel.kind.is_thread());
        self.channels.insert(id, channel);
        if thread {
            self.dispatch_thread("THREAD_CREATE", id);
        } else if let Some(guild) = guild {
            self.dispatch_to_guild(guild, "CHANNEL_CREATE", &json);
        }
        id
    }

    pub(crate) fn set_overwrite(&mut self, id: u64, target: Target, allow: u64, deny: u64) {
        let Some(guild) = self.channels.get(&id).and_then(|channel| channel.guild) else { return };
        self.change_access(guild, |world| {
            let Some(channel) = world.channels.get_mut(&id) else { return };
            channel.overwrites.insert(target, Overwrite { allow, deny });
            let json = channel.json();
            world.dispatch_to_guild(guild, "CHANNEL_UPDATE", &json);
        });
    }

    pub(crate) fn remove_channel(&mut self, id: u64) {
        if let Some(channel) = self.channels.remove(&id)
            && let Some(guild) = channel.guild
        {
            if channel.kind.is_thread() {
                self.dispatch_to_guild(guild, "THREAD_DELETE", &channel.gone_json());
            } else {
                self.dispatch_to_guild(guild, "CHANNEL_DELETE", &channel.json());
            }
        }
    }

    /// The channel, if the bot may see it.
    pub(crate) fn visible_channel(&self, id: u64) -> Result<&Channel, ApiError> {
        let channel = self.channels.get(&id).ok_or_else(ApiError::unknown_channel)?;
        let visible = self.permissions(channel, self.bot) & VIEW_CHANNEL != 0;
        if visible { Ok(channel) } else { Err(ApiError::missing_access()) }
    }

    /// The guild, if the bot is in it.
    pub(crate) fn own_guild(&self, id: u64) -> Result<&Guild, ApiError> {
        let guild = self.guilds.get(&id).ok_or_else(ApiError::unknown_guild)?;
        if guild.members.contains_key(&self.bot) { Ok(guild) } else { Err(ApiError::missing_access()) }
    }

    /// The private conversation of the bot with this user, opened when needed.
    pub(crate) fn private_channel(&mut self, user: u64) -> u64 {
        let known = self.channels.values().find(|channel| channel.recipient == Some(user));
        if let Some(channel) = known {
            return channel.id;
        }
        let mut channel = Channel::new(ChannelKind::Private, "");
        channel.recipient = Some(user);
        self.add_channel(None, channel)
    }

    pub(crate) fn user_json(&self, id: u64) -> Value {
        let deleted = || User::new("Deleted User").with_id(id);
        self.users.get(&id).cloned().unwrap_or_else(deleted).json()
    }

    pub(crate) fn member_json(&self, guild: u64, user: u64) -> Option<Value> {
        let member = self.guilds.get(&guild)?.members.get(&user)?;
        Some(member.json(guild))
    }

    /// The complete message object.
    pub(crate) fn message_json(&self, message: &Stored) -> Value {
        let mentions: Vec<_> = message.highlights.users.iter().map(|&id| self.user_json(id)).collect();
        let mut json = message.json(&self.user_json(message.author), &mentions);
        if let Some(id) = message.reply_to {
            let channel = self.channels.get(&message.channel);
            let original = channel.and_then(|channel| channel.messages.get(&id));
            // One level only: the original of the original is left out, as Discord does.
            let shown = original.map(|original| original.json(&self.user_json(original.author), &[]));
            json["referenced_message"] = shown.into();
            let guild = channel.and_then(|channel| channel.guild);
            json["message_reference"]["guild_id"] = guild.map(|id| id.to_string()).into();
        }
        json
    }

    /// The message object as this bot gets it. Without the MESSAGE_CONTENT
    /// intent it is empty, unless it is the bot's own, private, or mentions the
    /// bot.
    pub(crate) fn message_for_bot(&self, message: &Stored, content_allowed: bool) -> Value {
        let mut json = self.message_json(message);
        let private = self.channels.get(&message.channel).is_some_and(|channel| channel.guild.is_none());
        let mentioned = message.highlights.users.contains(&self.bot)
            || mentions::mentioned(&message.content).users.contains(&self.bot);
        if !(content_allowed || private || mentioned || message.author == self.bot) {
            json["content"] = "".into();
            for list in ["embeds", "components", "attachments"] {
                json[list] = Value::Array(Vec::new());
            }
        }
        json
    }

    /// What was written in the channel, oldest first.
    pub(crate) fn messages(&self, channel: u64) -> Vec<Message> {
        let messages = self.channels.get(&channel).map(|channel| channel.messages.values());
        messages.into_iter().flatten().map(|message| self.shown(message)).collect()
    }

    pub(crate) fn shown(&self, message: &Stored) -> Message {
        Message {
            id: message.id,
            author: message.author,
            json: self.message_json(message),
            received: message.received.clone(),
            pings: message.pings.clone(),
            highlights: message.highlights.clone(),
            edited: message.edited_at.is_some(),
        }
    }

    /// Forgets a message. Its nonce stays known.
    pub(crate) fn delete_message(&mut self, channel: u64, message: u64) -> bool {
        let Some(place) = self.channels.get_mut(&channel) else {
            return false;
        };
        let existed = place.messages.remove(&message).is_some();
        if existed {
            self.dispatch_message_delete(channel, message);
        }
        existed
    }

    /// Replaces a channel's message after a change by its author.
    pub(crate) fn update_message(&mut self, mut message: Stored) {
        message.edited_at = Some(snowflake::now());
        if let Some(channel) = self.channels.get_mut(&message.channel) {
            channel.messages.insert(message.id, message.clone());
        }
        self.dispatch_message("MESSAGE_UPDATE", &message);
    }
}
