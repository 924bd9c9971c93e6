//! What the gateway hands on, and to whom.

use async_trait::async_trait;
use shared::{ChannelId, GuildId, UserId};

use super::interaction::Invoked;

/// A message that somebody typed in a guild.
#[derive(Debug, Clone)]
pub struct Typed {
    /// The message's id.
    pub id: u64,
    /// Where it was typed.
    pub guild: GuildId,
    /// Where it was typed.
    pub channel: ChannelId,
    /// Who typed it: no bot and no webhook.
    pub author: UserId,
    /// The text, never empty.
    pub content: String,
    /// The bot's own id, to recognise `@bot …`.
    pub bot: UserId,
}

/// Handles what people do. Each call but [`Self::is_command`] runs in a task of its own.
#[async_trait]
pub trait Handler: Send + Sync + 'static {
    /// Whether the message may be a command; others are not handed on. The gateway
    /// asks this for every message in every guild, one after the other.
    fn is_command(&self, _message: &Typed) -> bool {
        true
    }

    /// Somebody typed this command.
    async fn typed(&self, message: Typed);

    /// Somebody used a slash command. Discord waits three seconds for the first answer.
    async fn invoked(&self, invocation: Invoked);

    /// Somebody used a slash command while the bot handles too many of this member,
    /// channel or guild.
    async fn turned_away(&self, invocation: Invoked);
}
