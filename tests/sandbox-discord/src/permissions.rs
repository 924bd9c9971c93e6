//! Permission bits, and what a member may do in a channel: Discord's
//! reference, "Permissions".

use crate::world::{
    World,
    channel::{Channel, ChannelKind, Target},
    guild::Member,
};

/// Every permission, everywhere.
pub const ADMINISTRATOR: u64 = 1 << 3;
/// Manage the guild's channels.
pub const MANAGE_CHANNELS: u64 = 1 << 4;
/// See the channel.
pub const VIEW_CHANNEL: u64 = 1 << 10;
/// Write in the channel.
pub const SEND_MESSAGES: u64 = 1 << 11;
/// Delete others' messages; also what a bot's commands often ask for.
pub const MANAGE_MESSAGES: u64 = 1 << 13;
/// Have embeds shown.
pub const EMBED_LINKS: u64 = 1 << 14;
/// Read earlier messages.
pub const READ_MESSAGE_HISTORY: u64 = 1 << 16;
/// Notify everyone, and roles that are not mentionable.
pub const MENTION_EVERYONE: u64 = 1 << 17;
/// Enter a voice channel, and read and write in it.
pub const CONNECT: u64 = 1 << 20;
/// Use the bots' commands.
pub const USE_APPLICATION_COMMANDS: u64 = 1 << 31;
/// Write in threads that are locked.
pub const MANAGE_THREADS: u64 = 1 << 34;
/// Write in threads.
pub const SEND_MESSAGES_IN_THREADS: u64 = 1 << 38;

/// All permissions that Discord defines today, bits 0 to 52.
pub const ALL: u64 = (1 << 53) - 1;

/// What every member may do in a new guild.
pub const EVERYONE: u64 = VIEW_CHANNEL
    | SEND_MESSAGES
    | EMBED_LINKS
    | READ_MESSAGE_HISTORY
    | CONNECT
    | USE_APPLICATION_COMMANDS
    | SEND_MESSAGES_IN_THREADS;

/// What the bot's own role grants.
pub const BOT: u64 =
    VIEW_CHANNEL | SEND_MESSAGES | EMBED_LINKS | READ_MESSAGE_HISTORY | CONNECT | SEND_MESSAGES_IN_THREADS;

impl World {
    /// What the user may do in the guild, before channels change it. `None`:
    /// not a member.
    pub(crate) fn guild_permissions(&self, guild: u64, user: u64) -> Option<u64> {
        let guild = self.guilds.get(&guild)?;
        let member = guild.members.get(&user)?;
        if guild.owner == user {
            return Some(ALL);
        }
        let roles = member.roles.iter().chain([&guild.id]).filter_map(|id| guild.roles.get(id));
        let permissions = roles.fold(0, |sum, role| sum | role.permissions);
        Some(if permissions & ADMINISTRATOR != 0 { ALL } else { permissions })
    }

    /// What the user may do in the channel. Nothing if they are not a member.
    pub(crate) fn permissions(&self, channel: &Channel, user: u64) -> u64 {
        let Some(guild_id) = channel.guild else {
            return ALL;
        };
        let Some(base) = self.guild_permissions(guild_id, user) else {
            return 0;
        };
        let Some(member) = self.guilds.get(&guild_id).and_then(|guild| guild.members.get(&user)) else {
            return 0;
        };
        if base == ALL {
            return ALL;
        }
        let place = self.place_of(channel);
        let mut permissions = base;
        if let Some(rule) = place.overwrites.get(&Target::Role(guild_id)) {
            permissions = rule.apply(permissions);
        }
        let (mut allow, mut deny) = (0, 0);
        for rule in member.roles.iter().filter_map(|role| place.overwrites.get(&Target::Role(*role))) {
            allow |= rule.allow;
            deny |= rule.deny;
        }
        permissions = (permissions & !deny) | allow;
        if let Some(rule) = place.overwrites.get(&Target::Member(user)) {
            permissions = rule.apply(permissions);
        }
        let private = channel.kind == ChannelKind::PrivateThread;
        if private && permissions & MANAGE_THREADS == 0 && !channel.thread_members.contains(&user) {
            return 0;
        }
        let timed_out = if member.is_timed_out() { VIEW_CHANNEL | READ_MESSAGE_HISTORY } else { ALL };
        implicit(permissions & timed_out, channel)
    }

    /// Whether the user is timed out. A time-out has no effect on the owner and
    /// administrators.
    pub(crate) fn is_timed_out(&self, guild: u64, user: u64) -> bool {
        let member = self.guilds.get(&guild).and_then(|guild| guild.members.get(&user));
        member.is_some_and(Member::is_timed_out) && self.guild_permissions(guild, user) != Some(ALL)
    }

    /// A thread has the overwrites of the channel that it belongs to.
    fn place_of<'a>(&'a self, channel: &'a Channel) -> &'a Channel {
        let parent = channel.parent.filter(|_| channel.kind.is_thread());
        parent.and_then(|id| self.channels.get(&id)).unwrap_or(channel)
    }
}

/// Removes permissions that need another one: all of them without View Channel,
/// and some without the right to write.
const fn implicit(permissions: u64, channel: &Channel) -> u64 {
    if permissions & VIEW_CHANNEL == 0 {
        return 0;
    }
    if channel.kind.is_voice() && permissions & CONNECT == 0 {
        return VIEW_CHANNEL;
    }
    let send = if channel.kind.is_thread() { SEND_MESSAGES_IN_THREADS } else { SEND_MESSAGES };
    if permissions & send == 0 {
        return permissions & !(EMBED_LINKS | MENTION_EVERYONE);
    }
    permissions
}
