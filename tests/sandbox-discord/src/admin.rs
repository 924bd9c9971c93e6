//! What a guild's admins do: members, roles, threads.

use std::time::Duration;

use crate::{Guild, Role, sandbox::Sandbox};

impl Sandbox {
    /// Puts a user into a guild with these roles, in place of those they had.
    pub fn set_member(&self, guild: u64, user: u64, roles: &[u64]) {
        self.hub().lock(|world| world.set_member(guild, user, roles));
    }

    /// Takes a user out of a guild; the bot itself is kicked.
    pub fn remove_member(&self, guild: u64, user: u64) {
        self.hub().lock(|world| world.remove_member(guild, user));
    }

    /// Invites the bot again, after it was kicked.
    pub fn invite_bot(&self, guild: u64) {
        self.hub().lock(|world| world.invite_bot(guild));
    }

    /// Times a member out from now on. Nothing announces the end.
    pub fn time_out(&self, guild: u64, user: u64, time: Duration) {
        self.hub().lock(|world| world.time_out(guild, user, Some(time)));
    }

    /// Ends a member's time-out before its time.
    pub fn lift_time_out(&self, guild: u64, user: u64) {
        self.hub().lock(|world| world.time_out(guild, user, None));
    }

    /// Adds a guild with the bot in it and returns its id.
    pub fn add_guild(&self, guild: Guild) -> u64 {
        self.hub().lock(|world| world.add_guild(guild))
    }

    /// Adds a role to a guild, or changes the one of its id.
    pub fn set_role(&self, guild: u64, role: Role) {
        self.hub().lock(|world| world.set_role(guild, role));
    }

    /// Removes a role from its guild.
    pub fn remove_role(&self, guild: u64, role: u64) {
        self.hub().lock(|world| world.remove_role(guild, role));
    }

    /// The role that the bot got when it was invited, if it is there.
    pub fn bot_role(&self, guild: u64) -> Option<Role> {
        self.hub().lock(|world| {
            let guild = world.guilds.get(&guild)?;
            guild.roles.values().find(|role| role.managed).cloned()
        })
    }

    /// Archives or locks a thread, or undoes it.
    pub fn set_thread(&self, thread: u64, archived: bool, locked: bool) {
        self.hub().lock(|world| world.set_thread(thread, archived, locked));
    }

    /// Adds a user to a thread.
    pub fn join_thread(&self, thread: u64, user: u64) {
        self.hub().lock(|world| world.join_thread(thread, user));
    }

    /// Removes a user from a thread.
    pub fn leave_thread(&self, thread: u64, user: u64) {
        self.hub().lock(|world| world.leave_thread(thread, user));
    }
}
