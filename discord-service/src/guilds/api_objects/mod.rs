//! The parts of Discord's objects that permissions are computed from.

use chrono::{DateTime, Utc};
use serde::{Deserialize, de::IgnoredAny};
use serenity::model::Permissions;
use shared::{ChannelId, GuildId, UserId};

use super::{
    channel::{Channel, Kind},
    permissions::{Guild, Member, Overwrite, Overwrites},
};
use crate::snowflake::Snowflake;

/// `GET /guilds/{guild}`.
#[derive(Debug, Deserialize)]
pub(crate) struct WireGuild {
    id: Snowflake<GuildId>,
    owner_id: Snowflake<UserId>,
    roles: Vec<WireRole>,
}

#[derive(Debug, Deserialize)]
struct WireRole {
    id: Snowflake<u64>,
    permissions: Permissions,
    #[serde(default)]
    mentionable: bool,
    #[serde(default)]
    tags: WireTags,
}

#[derive(Debug, Default, Deserialize)]
struct WireTags {
    #[serde(default)]
    bot_id: Option<Snowflake<UserId>>,
}

impl From<WireGuild> for Guild {
    fn from(wire: WireGuild) -> Self {
        let of_bot = |role: &WireRole| Some((role.tags.bot_id.as_ref()?.0, role.id.0));
        let bots = wire.roles.iter().filter_map(of_bot).collect();
        let mentionable = wire.roles.iter().filter(|role| role.mentionable).map(|role| role.id.0).collect();
        let roles = wire.roles.into_iter().map(|role| (role.id.0, role.permissions)).collect();
        Self { id: wire.id.0, owner: wire.owner_id.0, roles, mentionable, bots }
    }
}

/// `GET /guilds/{guild}/members/{user}`.
#[derive(Debug, Deserialize)]
pub(crate) struct WireMember {
    roles: Vec<Snowflake<u64>>,
    #[serde(default)]
    communication_disabled_until: Option<DateTime<Utc>>,
}

impl WireMember {
    pub(crate) fn of(self, user: UserId) -> Member {
        Member {
            id: user,
            roles: self.roles.into_iter().map(|Snowflake(role)| role).collect(),
            timed_out_until: self.communication_disabled_until,
        }
    }
}

/// `GET /channels/{channel}`, or one of `GET /guilds/{guild}/channels`.
#[derive(Debug, Deserialize)]
pub(crate) struct WireChannel {
    id: Snowflake<ChannelId>,
    #[serde(rename = "type")]
    kind: u32,
    #[serde(default)]
    guild_id: Option<Snowflake<GuildId>>,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    parent_id: Option<Snowflake<ChannelId>>,
    #[serde(default)]
    permission_overwrites: Vec<WireOverwrite>,
    #[serde(default)]
    thread_metadata: Option<WireThread>,
    /// Of the bot in a thread that it has joined.
    #[serde(default)]
    member: Option<IgnoredAny>,
}

#[derive(Debug, Deserialize)]
struct WireOverwrite {
    id: Snowflake<u64>,
    #[serde(rename = "type")]
    kind: u32,
    allow: Permissions,
    deny: Permissions,
}

#[derive(Debug, Deserialize)]
struct WireThread {
    #[serde(default)]
    locked: bool,
}

impl From<WireChannel> for Channel {
    fn from(wire: WireChannel) -> Self {
        let locked = wire.thread_metadata.is_some_and(|thread| thread.locked);
        Self {
            id: wire.id.0,
            guild: wire.guild_id.map(|Snowflake(guild)| guild),
            parent: wire.parent_id.map(|Snowflake(parent)| parent),
            name: wire.name.unwrap_or_default(),
            kind: match wire.kind {
                // Text, announcements.
                0 | 5 => Kind::Chat,
                // Voice, stage.
                2 | 13 => Kind::Voice,
                10..=12 => Kind::Thread { locked, private: wire.kind == 12 },
                // Also forums and media channels: they take only threads.
                _ => Kind::Other,
            },
            joined: wire.member.is_some(),
            overwrites: overwrites(wire.permission_overwrites),
        }
    }
}

fn overwrites(wire: Vec<WireOverwrite>) -> Overwrites {
    let mut overwrites = Overwrites::default();
    for WireOverwrite { id: Snowflake(id), kind, allow, deny } in wire {
        let of = match kind {
            0 => &mut overwrites.roles,
            1 => &mut overwrites.members,
            _ => continue,
        };
        of.insert(id, Overwrite { allow, deny });
    }
    overwrites
}

#[cfg(test)]
mod tests;
