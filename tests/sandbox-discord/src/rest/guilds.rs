//! `/guilds/{guild.id}` and `/users/{user.id}`.

use serde_json::{Value, json};

use super::{Call, Outcome, Reply};
use crate::{error::ApiError, permissions::VIEW_CHANNEL, world::World};

pub(super) fn get(world: &mut World, call: &Call) -> Outcome {
    // A bot that is not in the guild does not know it, and may not see anything
    // below it.
    Reply::ok(world.own_guild(call.id("guild_id")).map_err(|_| ApiError::unknown_guild())?.json())
}

pub(super) fn roles(world: &mut World, call: &Call) -> Outcome {
    Reply::ok(world.own_guild(call.id("guild_id"))?.roles_json().into())
}

pub(super) fn member(world: &mut World, call: &Call) -> Outcome {
    let (guild, user) = (call.id("guild_id"), call.id("user_id"));
    world.own_guild(guild)?;
    if !world.users.contains_key(&user) {
        return Err(ApiError::unknown_user());
    }
    let mut member = world.member_json(guild, user).ok_or_else(ApiError::unknown_member)?;
    member["user"] = world.user_json(user);
    Reply::ok(member)
}

/// All channels except threads, even those that the bot may not see.
pub(super) fn channels(world: &mut World, call: &Call) -> Outcome {
    let guild = world.own_guild(call.id("guild_id"))?.id;
    Reply::ok(world.channels_json(guild, false).into())
}

pub(super) fn threads(world: &mut World, call: &Call) -> Outcome {
    let guild = world.own_guild(call.id("guild_id"))?.id;
    Reply::ok(json!({ "threads": world.channels_json(guild, true), "members": [] }))
}

impl World {
    /// The guild's threads that are not archived and that the bot sees, or its other channels.
    pub(crate) fn channels_json(&self, guild: u64, threads: bool) -> Vec<Value> {
        let of_guild = self.channels.values().filter(|channel| channel.guild == Some(guild));
        let wanted = of_guild.filter(|channel| channel.kind.is_thread() == threads && !channel.archived);
        let told =
            wanted.filter(|channel| !threads || self.permissions(channel, self.bot) & VIEW_CHANNEL != 0);
        told.map(crate::world::channel::Channel::json).collect()
    }
}

pub(super) fn user(world: &mut World, call: &Call) -> Outcome {
    let user = world.users.get(&call.id("user_id")).ok_or_else(ApiError::unknown_user)?;
    Reply::ok(user.json())
}

pub(super) fn current_user(world: &mut World, _call: &Call) -> Outcome {
    Reply::ok(world.current_user_json())
}

pub(super) fn current_user_guilds(world: &mut World, _call: &Call) -> Outcome {
    let own = world.guilds.values().filter(|guild| guild.members.contains_key(&world.bot));
    let info = |guild: &crate::world::guild::Guild| {
        let permissions = world.guild_permissions(guild.id, world.bot).unwrap_or_default();
        json!({
            "id": guild.id.to_string(), "name": guild.name, "icon": null, "banner": null,
            "owner": guild.owner == world.bot, "permissions": permissions.to_string(), "features": [],
        })
    };
    Reply::ok(own.map(info).collect())
}

impl World {
    /// The bot's own user, with fields that only the bot gets.
    pub(crate) fn current_user_json(&self) -> Value {
        let mut json = self.user_json(self.bot);
        json["verified"] = true.into();
        json["mfa_enabled"] = true.into();
        json["email"] = Value::Null;
        json["flags"] = 0.into();
        json
    }
}
