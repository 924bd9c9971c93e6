//! Users, guilds, roles and members.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use crate::{limits::mentions::id_strings, permissions, snowflake};

/// A user of Discord.
#[derive(Debug, Clone)]
pub struct User {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) bot: bool,
}

impl User {
    /// A human.
    pub fn new(name: impl Into<String>) -> Self {
        Self { id: snowflake::next(), name: name.into(), bot: false }
    }

    /// Another bot.
    pub fn bot(name: impl Into<String>) -> Self {
        Self { bot: true, ..Self::new(name) }
    }

    /// Gives them this id.
    #[must_use]
    pub const fn with_id(mut self, id: u64) -> Self {
        self.id = id;
        self
    }

    pub(crate) fn json(&self) -> Value {
        json!({
            "id": self.id.to_string(),
            "username": self.name,
            "discriminator": "0",
            "global_name": if self.bot { None } else { Some(&self.name) },
            "avatar": null,
            "avatar_decoration_data": null,
            "banner": null,
            "accent_color": null,
            "bot": self.bot,
            "public_flags": 0,
        })
    }
}

/// A role of a guild.
#[derive(Debug, Clone)]
pub struct Role {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) permissions: u64,
    pub(crate) managed: bool,
    pub(crate) mentionable: bool,
    /// The bot for which it was made.
    pub(crate) bot: Option<u64>,
}

impl Role {
    /// A role that grants these permissions.
    pub fn new(name: impl Into<String>, permissions: u64) -> Self {
        Self {
            id: snowflake::next(),
            name: name.into(),
            permissions,
            managed: false,
            mentionable: false,
            bot: None,
        }
    }

    /// Lets everyone mention it.
    #[must_use]
    pub const fn mentionable(mut self) -> Self {
        self.mentionable = true;
        self
    }

    /// Gives it this id.
    #[must_use]
    pub const fn with_id(mut self, id: u64) -> Self {
        self.id = id;
        self
    }

    /// Its id.
    pub const fn id(&self) -> u64 {
        self.id
    }

    /// Grants these permissions, in place of those before.
    #[must_use]
    pub const fn with_permissions(mut self, permissions: u64) -> Self {
        self.permissions = permissions;
        self
    }

    pub(crate) fn json(&self, position: usize) -> Value {
        let mut json = json!({
            "id": self.id.to_string(),
            "name": self.name,
            "description": null,
            "permissions": self.permissions.to_string(),
            "position": position,
            "color": 0,
            "colors": { "primary_color": 0, "secondary_color": null, "tertiary_color": null },
            "hoist": false,
            "managed": self.managed,
            "mentionable": self.mentionable,
            "icon": null,
            "unicode_emoji": null,
            "flags": 0,
        });
        if let Some(bot) = self.bot {
            json["tags"] = json!({ "bot_id": bot.to_string() });
        }
        json
    }
}

/// A user in a guild.
#[derive(Debug, Clone, Default)]
pub(crate) struct Member {
    pub(crate) roles: BTreeSet<u64>,
    /// Until when the member is timed out. Discord leaves it there afterwards.
    pub(crate) timed_out_until: Option<DateTime<Utc>>,
}

impl Member {
    pub(crate) fn is_timed_out(&self) -> bool {
        self.timed_out_until.is_some_and(|until| until > Utc::now())
    }

    /// The member without the user, as messages have it.
    pub(crate) fn json(&self, guild: u64) -> Value {
        json!({
            "roles": id_strings(&self.roles),
            "nick": null,
            "avatar": null,
            "banner": null,
            "joined_at": snowflake::timestamp(guild),
            "premium_since": null,
            "communication_disabled_until": self.timed_out_until.map(snowflake::format_time),
            "deaf": false,
            "mute": false,
            "pending": false,
            "flags": 0,
        })
    }
}

/// A guild, which people call a server.
#[derive(Debug, Clone)]
pub struct Guild {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) owner: u64,
    pub(crate) roles: BTreeMap<u64, Role>,
    pub(crate) members: BTreeMap<u64, Member>,
}

impl Guild {
    /// A guild whose only member is its owner.
    pub fn new(name: impl Into<String>, owner: u64) -> Self {
        Self {
            id: snowflake::next(),
            name: name.into(),
            owner,
            roles: BTreeMap::new(),
            members: BTreeMap::from([(owner, Member::default())]),
        }
    }

    /// Gives it this id.
    #[must_use]
    pub const fn with_id(mut self, id: u64) -> Self {
        self.id = id;
        self
    }

    /// Gives it an id that belongs to this shard of `of`.
    #[must_use]
    pub fn on_shard(mut self, shard: u64, of: u64) -> Self {
        let of = of.max(1);
        let time = self.id >> 22;
        let wanted = time - time % of + shard % of;
        self.id = (wanted << 22) | (snowflake::next() & ((1 << 22) - 1));
        self
    }

    /// Adds a role.
    #[must_use]
    pub fn role(mut self, role: Role) -> Self {
        self.roles.insert(role.id, role);
        self
    }

    /// Adds a member with these roles.
    #[must_use]
    pub fn member(mut self, user: u64, roles: &[u64]) -> Self {
        let roles = roles.iter().copied().collect();
        self.members.insert(user, Member { roles, ..Member::default() });
        self
    }

    /// Adds what every guild has: the role of everyone.
    pub(crate) fn complete(&mut self) {
        let everyone = Role::new("@everyone", permissions::EVERYONE).with_id(self.id);
        self.roles.entry(self.id).or_insert(everyone);
    }

    pub(crate) fn roles_json(&self) -> Vec<Value> {
        let everyone = self.roles.get(&self.id);
        let others = self.roles.values().filter(|role| role.id != self.id);
        everyone.into_iter().chain(others).enumerate().map(|(position, role)| role.json(position)).collect()
    }

    /// The ids of each member's roles, for the page.
    pub(crate) fn member_roles_json(&self) -> Value {
        let roles = |(user, member): (&u64, &Member)| (user.to_string(), id_strings(&member.roles));
        self.members.iter().map(roles).collect::<Map<_, _>>().into()
    }

    /// As `GET /guilds/{id}` shows it.
    pub(crate) fn json(&self) -> Value {
        json!({
            "id": self.id.to_string(),
            "name": self.name,
            "owner_id": self.owner.to_string(),
            "roles": self.roles_json(),
            "icon": null, "icon_hash": null, "splash": null, "discovery_splash": null, "banner": null,
            "description": null, "region": "deprecated", "preferred_locale": "en-US",
            "afk_channel_id": null, "afk_timeout": 300,
            "widget_enabled": false, "widget_channel_id": null,
            "verification_level": 0, "default_message_notifications": 1,
            "explicit_content_filter": 0, "mfa_level": 0, "nsfw_level": 0, "nsfw": false,
            "premium_tier": 0, "premium_subscription_count": 0, "premium_progress_bar_enabled": false,
            "emojis": [], "stickers": [], "features": [],
            "application_id": null,
            "system_channel_id": null, "system_channel_flags": 0, "rules_channel_id": null,
            "public_updates_channel_id": null, "safety_alerts_channel_id": null,
            "max_presences": null, "max_members": 500_000,
            "max_video_channel_users": 25, "max_stage_video_channel_users": 50,
            "vanity_url_code": null, "incidents_data": null,
        })
    }
}
