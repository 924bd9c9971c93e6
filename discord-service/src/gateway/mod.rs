//! The seam between the gateway and whoever answers commands.

use async_trait::async_trait;
use shared::{ChannelId, GuildId, UserId};

/// A message that somebody typed in a guild.
#[derive(Debug, Clone)]
pub struct Typed {
    /// The message's id.
    pub id: u64,
    /// Where it was typed.
    pub guild: GuildId,
    /// Where it was typed.
    pub channel: ChannelId,
    /// Who typed it: never a bot.
    pub author: UserId,
    /// The text.
    pub content: String,
    /// The bot's own id, to recognise `@bot …`.
    pub bot: UserId,
}

/// Takes what is typed.
#[async_trait]
pub trait Handler: Send + Sync + 'static {
    /// Called for every message of a guild that no bot wrote.
    async fn typed(&self, message: Typed);
}
