//! Which events may open a channel that refused alerts.
//! <https://docs.discord.com/developers/events/gateway-events>
//!
//! Each is read only as far as it says where something changed: an event in
//! another shape costs nothing but itself.

use serde::Deserialize;
use shared::{ChannelId, GuildId, UserId};

use super::protocol;
use crate::reopening::{Reopening, text};

/// A channel or thread.
#[derive(Debug, Deserialize)]
pub(super) struct InChannel {
    #[serde(deserialize_with = "text::deserialize")]
    id: ChannelId,
    #[serde(deserialize_with = "text::deserialize")]
    guild_id: GuildId,
    /// Who came to a thread.
    #[serde(default)]
    added_members: Vec<Member>,
}

#[derive(Debug, Deserialize)]
struct Member {
    #[serde(deserialize_with = "text::deserialize")]
    user_id: UserId,
}

/// A guild that there is from now on, or one that has an outage.
#[derive(Debug, Deserialize)]
pub(super) struct Guild {
    #[serde(deserialize_with = "text::deserialize")]
    id: GuildId,
    #[serde(default)]
    unavailable: Option<bool>,
}

/// Something of a guild.
#[derive(Debug, Deserialize)]
pub(super) struct InGuild {
    #[serde(deserialize_with = "text::deserialize")]
    guild_id: GuildId,
    /// Channels whose threads the bot may see now; absent for those of all channels.
    #[serde(default)]
    channel_ids: Option<Vec<Channel>>,
    /// Whom it is about.
    #[serde(default)]
    user: Option<User>,
}

#[derive(Debug, Deserialize)]
#[serde(transparent)]
struct Channel(#[serde(deserialize_with = "text::deserialize")] ChannelId);

#[derive(Debug, Deserialize)]
struct User {
    #[serde(deserialize_with = "text::deserialize")]
    id: UserId,
}

/// What an event says has changed.
#[derive(Debug)]
pub(super) enum Change {
    /// A guild came.
    Guild(Guild),
    /// A channel or thread changed, or a thread came.
    Channel(InChannel),
    /// Somebody came to a thread.
    ThreadMembers(InChannel),
    /// The bot may see threads that it did not see.
    Threads(InGuild),
    /// The guild's roles changed.
    Roles(InGuild),
    /// A member changed.
    Member(InGuild),
}

/// Reads an event; `None` where it is none that may open a channel.
pub(super) fn read(name: &str, text: &str) -> serde_json::Result<Option<Change>> {
    let change = match name {
        "GUILD_CREATE" => Change::Guild(protocol::data(text)?),
        "CHANNEL_UPDATE" | "THREAD_CREATE" | "THREAD_UPDATE" => Change::Channel(protocol::data(text)?),
        "THREAD_MEMBERS_UPDATE" => Change::ThreadMembers(protocol::data(text)?),
        "THREAD_LIST_SYNC" => Change::Threads(protocol::data(text)?),
        "GUILD_ROLE_CREATE" | "GUILD_ROLE_UPDATE" | "GUILD_ROLE_DELETE" => {
            Change::Roles(protocol::data(text)?)
        }
        "GUILD_MEMBER_UPDATE" => Change::Member(protocol::data(text)?),
        _ => return Ok(None),
    };
    Ok(Some(change))
}

impl Change {
    /// What may be open now for this bot.
    pub(super) fn reopening(self, bot: u64) -> Option<Reopening> {
        let bot = UserId::new(bot);
        let of = |guild, channels| Some(Reopening { guild, channels, spread: false });
        match self {
            Self::Guild(Guild { unavailable: Some(true), .. }) => None,
            // All of a shard's guilds come at once when it begins.
            Self::Guild(Guild { id, .. }) => Some(Reopening { guild: id, channels: None, spread: true }),
            Self::Channel(InChannel { id, guild_id, .. }) => of(guild_id, Some(vec![id])),
            Self::ThreadMembers(InChannel { id, guild_id, added_members }) => {
                let came = added_members.iter().any(|member| member.user_id == bot);
                of(guild_id, Some(vec![id])).filter(|_| came)
            }
            Self::Threads(InGuild { guild_id, channel_ids, .. }) => {
                of(guild_id, channel_ids.map(|ids| ids.into_iter().map(|Channel(id)| id).collect()))
            }
            Self::Roles(InGuild { guild_id, .. }) => of(guild_id, None),
            Self::Member(InGuild { guild_id, user, .. }) => {
                of(guild_id, None).filter(|_| user.is_some_and(|user| user.id == bot))
            }
        }
    }
}

#[cfg(test)]
mod tests;
