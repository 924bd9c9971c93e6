//! Threads are archived, locked, joined and left.

use serde_json::{Value, json};

use super::{World, channel::Channel};
use crate::{permissions::VIEW_CHANNEL, snowflake};

impl World {
    /// Archives or locks a thread, or undoes it.
    pub(crate) fn set_thread(&mut self, thread: u64, archived: bool, locked: bool) {
        let Some(channel) = self.channels.get_mut(&thread).filter(|channel| channel.kind.is_thread()) else {
            return;
        };
        if (channel.archived, channel.locked) != (archived, locked) {
            (channel.archived, channel.locked) = (archived, locked);
            self.dispatch_thread("THREAD_UPDATE", thread);
        }
    }

    /// A post opens an archived thread, and its author joins it.
    pub(super) fn wake(&mut self, thread: u64, author: u64) {
        let Some(channel) = self.channels.get(&thread).filter(|channel| channel.kind.is_thread()) else {
            return;
        };
        let (locked, member) = (channel.locked, channel.thread_members.contains(&author));
        self.set_thread(thread, false, locked);
        if !member {
            self.join_thread(thread, author);
        }
    }

    pub(crate) fn join_thread(&mut self, thread: u64, user: u64) {
        let saw = self.sees(thread);
        let Some(channel) = self.channels.get_mut(&thread).filter(|channel| channel.kind.is_thread()) else {
            return;
        };
        if !channel.thread_members.insert(user) || user != self.bot {
            return;
        }
        let mut member = thread_member(thread, user);
        if !saw {
            let mut json = self.channels.get(&thread).map(Channel::json).unwrap_or_default();
            json["member"] = member.clone();
            self.dispatch_of_thread("THREAD_CREATE", thread, &json);
        }
        let guild = self.channels.get(&thread).and_then(|channel| channel.guild).unwrap_or_default();
        member["member"] = self.member_json(guild, user).into();
        member["presence"] = Value::Null;
        self.dispatch_members(thread, &json!({ "added_members": [member] }));
    }

    pub(crate) fn leave_thread(&mut self, thread: u64, user: u64) {
        let Some(channel) = self.channels.get_mut(&thread) else { return };
        if channel.thread_members.remove(&user) && user == self.bot {
            self.dispatch_members(thread, &json!({ "removed_member_ids": [user.to_string()] }));
        }
    }

    /// Without the members intent a bot gets only events about itself.
    fn dispatch_members(&mut self, thread: u64, change: &Value) {
        let Some(channel) = self.channels.get(&thread) else { return };
        let mut data = json!({
            "id": thread.to_string(),
            "guild_id": channel.guild.map(|id| id.to_string()),
            "member_count": channel.thread_members.len().min(50),
        });
        for (name, value) in change.as_object().into_iter().flatten() {
            data[name] = value.clone();
        }
        self.dispatch_of_thread("THREAD_MEMBERS_UPDATE", thread, &data);
    }

    fn sees(&self, channel: u64) -> bool {
        let channel = self.channels.get(&channel);
        channel.is_some_and(|channel| self.permissions(channel, self.bot) & VIEW_CHANNEL != 0)
    }

    /// The thread as it is now, if the bot sees it.
    pub(super) fn dispatch_thread(&mut self, event: &str, thread: u64) {
        if self.sees(thread)
            && let Some(json) = self.channels.get(&thread).map(Channel::json)
        {
            self.dispatch_of_thread(event, thread, &json);
        }
    }

    fn dispatch_of_thread(&mut self, event: &str, thread: u64, data: &Value) {
        if let Some(guild) = self.channels.get(&thread).and_then(|channel| channel.guild) {
            self.dispatch_to_guild(guild, event, data);
        }
    }
}

/// A member of a thread, as the API shows it.
fn thread_member(thread: u64, user: u64) -> Value {
    json!({
        "id": thread.to_string(),
        "user_id": user.to_string(),
        "join_timestamp": snowflake::now(),
        "flags": 0,
    })
}
