//! Members and roles come, go and change. The bot's sessions get the events
//! that Discord would send.

use std::{collections::BTreeSet, time::Duration};

use chrono::Utc;
use serde_json::{Value, json};

use super::{
    World,
    channel::{ChannelKind, Target},
    guild::{Member, Role},
};
use crate::permissions::{self, VIEW_CHANNEL};

impl World {
    pub(crate) fn set_member(&mut self, guild: u64, user: u64, roles: &[u64]) {
        let roles: BTreeSet<u64> = roles.iter().copied().collect();
        let Some(known) = self.guilds.get_mut(&guild) else { return };
        if let Some(member) = known.members.get_mut(&user) {
            let before = member.roles.clone();
            if before != roles {
                self.change_access(guild, |world| {
                    world.change_member(guild, user, |member| member.roles = roles);
                });
            }
            return;
        }
        known.members.insert(user, Member { roles, ..Member::default() });
        if user == self.bot {
            self.dispatch_guild_create(guild);
        }
    }

    /// Takes a user out of a guild. If it is the bot, that is a kick, and its
    /// own role goes too.
    pub(crate) fn remove_member(&mut self, guild: u64, user: u64) {
        if user == self.bot {
            self.dispatch_to_guild(guild, "GUILD_DELETE", &json!({ "id": guild.to_string() }));
        }
        let Some(known) = self.guilds.get_mut(&guild) else { return };
        let Some(member) = known.members.remove(&user).filter(|_| user == self.bot) else { return };
        for role in member.roles {
            if known.roles.get(&role).is_some_and(|role| role.managed) {
                known.roles.remove(&role);
            }
        }
    }

    /// Puts the bot into a guild, under a role of its own.
    pub(crate) fn invite_bot(&mut self, guild: u64) {
        let bot = self.bot;
        if self.enter(guild, bot) {
            self.dispatch_guild_create(guild);
        }
    }

    /// As [`invite_bot`](Self::invite_bot), but without events. Returns whether
    /// it was not there yet.
    pub(super) fn enter(&mut self, guild: u64, bot: u64) -> bool {
        let mut role = Role::new(&self.config.bot.name, permissions::BOT);
        role.managed = true;
        role.bot = Some(bot);
        let Some(guild) = self.guilds.get_mut(&guild) else { return false };
        if guild.members.contains_key(&bot) {
            return false;
        }
        guild.members.insert(bot, Member { roles: [role.id].into(), ..Member::default() });
        guild.roles.insert(role.id, role);
        true
    }

    /// Times a member out for `time`. `None` lifts the time-out.
    pub(crate) fn time_out(&mut self, guild: u64, user: u64, time: Option<Duration>) {
        let until =
            time.and_then(|time| Utc::now().checked_add_signed(chrono::Duration::from_std(time).ok()?));
        self.change_access(guild, |world| {
            world.change_member(guild, user, |member| member.timed_out_until = until);
        });
    }

    fn change_member(&mut self, guild: u64, user: u64, change: impl FnOnce(&mut Member)) {
        let Some(known) = self.guilds.get_mut(&guild) else { return };
        let Some(member) = known.members.get_mut(&user) else { return };
        change(member);
        let Some(mut json) = self.member_json(guild, user) else { return };
        json["user"] = self.user_json(user);
        json["guild_id"] = guild.to_string().into();
        self.dispatch_member_update(guild, user, &json);
    }

    /// Adds a role, or changes the one of its id.
    pub(crate) fn set_role(&mut self, guild: u64, role: Role) {
        self.change_access(guild, |world| {
            let Some(known) = world.guilds.get_mut(&guild) else { return };
            let (id, position) = (role.id, known.roles.len());
            let new = known.roles.insert(id, role.clone()).is_none();
            let event = if new { "GUILD_ROLE_CREATE" } else { "GUILD_ROLE_UPDATE" };
            let data = json!({ "guild_id": guild.to_string(), "role": role.json(position) });
            world.dispatch_to_guild(guild, event, &data);
        });
    }

    /// Removes a role from the guild, its members and its channels.
    pub(crate) fn remove_role(&mut self, guild: u64, role: u64) {
        self.change_access(guild, |world| {
            let Some(known) = world.guilds.get_mut(&guild) else { return };
            if known.roles.remove(&role).is_none() {
                return;
            }
            known.members.values_mut().for_each(|member| {
                member.roles.remove(&role);
            });
            for channel in world.channels.values_mut().filter(|channel| channel.guild == Some(guild)) {
                channel.overwrites.remove(&Target::Role(role));
            }
            let data = json!({ "guild_id": guild.to_string(), "role_id": role.to_string() });
            world.dispatch_to_guild(guild, "GUILD_ROLE_DELETE", &data);
        });
    }

    /// Makes a change, then announces the threads in channels that the bot sees
    /// from now on.
    pub(super) fn change_access(&mut self, guild: u64, change: impl FnOnce(&mut Self)) {
        let before = self.places(guild);
        change(self);
        let gained: Vec<u64> = self.places(guild).difference(&before).copied().collect();
        if gained.is_empty() {
            return;
        }
        let threads: Vec<Value> = self
            .channels
            .values()
            .filter(|channel| channel.kind.is_thread() && !channel.archived)
            .filter(|channel| channel.parent.is_some_and(|parent| gained.contains(&parent)))
            .filter(|channel| self.permissions(channel, self.bot) & VIEW_CHANNEL != 0)
            .map(super::channel::Channel::json)
            .collect();
        let data = json!({
            "guild_id": guild.to_string(),
            "channel_ids": gained.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "threads": threads,
            "members": [],
        });
        self.dispatch_to_guild(guild, "THREAD_LIST_SYNC", &data);
    }

    /// The guild's channels with threads that the bot sees.
    fn places(&self, guild: u64) -> BTreeSet<u64> {
        let kinds = [ChannelKind::Text, ChannelKind::Announcement, ChannelKind::Forum, ChannelKind::Media];
        let of_guild = self.channels.values().filter(|channel| channel.guild == Some(guild));
        let with_threads = of_guild.filter(|channel| kinds.contains(&channel.kind));
        let seen = with_threads.filter(|channel| self.permissions(channel, self.bot) & VIEW_CHANNEL != 0);
        seen.map(|channel| channel.id).collect()
    }
}
