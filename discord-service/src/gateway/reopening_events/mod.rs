//! Which events may open a channel that refused alerts, or say that one was deleted.
//! <https://docs.discord.com/developers/events/gateway-events>
//!
//! Each is read only as far as it says where something changed: an event in
//! another shape costs nothing but itself.

use serde::Deserialize;
use shared::{ChannelId, GuildId, UserId};

use super::protocol;
use crate::{
    reopening::Reopening,
    snowflake::{self, Snowflake},
};

/// A channel or thread.
#[derive(Debug, Deserialize)]
pub(super) struct ChannelEvent {
    #[serde(with = "snowflake")]
    id: ChannelId,
    #[serde(with = "snowflake")]
    guild_id: GuildId,
    /// Who came to a thread.
    #[serde(default)]
    added_members: Vec<ThreadMember>,
}

#[derive(Debug, Deserialize)]
struct ThreadMember {
    #[serde(with = "snowflake")]
    user_id: UserId,
}

/// A guild that there is from now on, or one that has an outage.
#[derive(Debug, Deserialize)]
pub(super) struct GuildCreate {
    #[serde(with = "snowflake")]
    id: GuildId,
    #[serde(default)]
    unavailable: Option<bool>,
}

/// Something of a guild.
#[derive(Debug, Deserialize)]
pub(super) struct GuildEvent {
    #[serde(with = "snowflake")]
    guild_id: GuildId,
    /// Channels whose threads the bot may see now; absent for those of all channels.
    #[serde(default)]
    channel_ids: Option<Vec<Snowflake<ChannelId>>>,
    /// Whom it is about.
    #[serde(default)]
    user: Option<ChangedUser>,
}

#[derive(Debug, Deserialize)]
struct ChangedUser {
    #[serde(with = "snowflake")]
    id: UserId,
}

/// What an event says has changed.
#[derive(Debug)]
pub(super) enum ReopeningEvent {
    /// A guild came.
    Guild(GuildCreate),
    /// A channel or thread changed, or a thread came.
    Channel(ChannelEvent),
    /// A channel or thread was deleted.
    Deleted(ChannelEvent),
    /// Somebody came to a thread.
    ThreadMembers(ChannelEvent),
    /// The bot may see threads that it did not see.
    Threads(GuildEvent),
    /// The guild's roles changed.
    Roles(GuildEvent),
    /// A member changed.
    Member(GuildEvent),
}

/// Reads an event; `None` where it is none of these.
pub(super) fn read(name: &str, text: &str) -> serde_json::Result<Option<ReopeningEvent>> {
    let change = match name {
        "GUILD_CREATE" => ReopeningEvent::Guild(protocol::data(text)?),
        "CHANNEL_UPDATE" | "THREAD_CREATE" | "THREAD_UPDATE" => {
            ReopeningEvent::Channel(protocol::data(text)?)
        }
        "CHANNEL_DELETE" | "THREAD_DELETE" => ReopeningEvent::Deleted(protocol::data(text)?),
        "THREAD_MEMBERS_UPDATE" => ReopeningEvent::ThreadMembers(protocol::data(text)?),
        "THREAD_LIST_SYNC" => ReopeningEvent::Threads(protocol::data(text)?),
        "GUILD_ROLE_CREATE" | "GUILD_ROLE_UPDATE" | "GUILD_ROLE_DELETE" => {
            ReopeningEvent::Roles(protocol::data(text)?)
        }
        "GUILD_MEMBER_UPDATE" => ReopeningEvent::Member(protocol::data(text)?),
        _ => return Ok(None),
    };
    Ok(Some(change))
}

impl ReopeningEvent {
    /// What may be open now for this bot, and what is deleted.
    pub(super) fn reopening(self, bot: u64) -> Option<Reopening> {
        let bot = UserId::new(bot);
        let of = |guild, channels| Some(Reopening { guild, channels, spread: false, deleted: Vec::new() });
        match self {
            Self::Guild(GuildCreate { unavailable: Some(true), .. }) => None,
            // All of a shard's guilds come at once when it begins.
            Self::Guild(GuildCreate { id, .. }) => {
                Some(Reopening { guild: id, channels: None, spread: true, deleted: Vec::new() })
            }
            Self::Channel(ChannelEvent { id, guild_id, .. }) => of(guild_id, Some(vec![id])),
            // `spread`, because it opens nothing that would be spread less.
            Self::Deleted(ChannelEvent { id, guild_id, .. }) => Some(Reopening {
                guild: guild_id,
                channels: Some(Vec::new()),
                spread: true,
                deleted: vec![id],
            }),
            Self::ThreadMembers(ChannelEvent { id, guild_id, added_members }) => {
                let came = added_members.iter().any(|member| member.user_id == bot);
                of(guild_id, Some(vec![id])).filter(|_| came)
            }
            Self::Threads(GuildEvent { guild_id, channel_ids, .. }) => {
                of(guild_id, channel_ids.map(|ids| ids.into_iter().map(|Snowflake(id)| id).collect()))
            }
            Self::Roles(GuildEvent { guild_id, .. }) => of(guild_id, None),
            Self::Member(GuildEvent { guild_id, user, .. }) => {
                of(guild_id, None).filter(|_| user.is_some_and(|user| user.id == bot))
            }
        }
    }
}

#[cfg(test)]
mod tests;
