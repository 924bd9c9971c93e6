//! What a member may do in a channel, by Discord's rules: the owner, roles, and
//! the channel's overwrites. Pure; `facts` fetches what this needs.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serenity::model::Permissions;
use shared::{GuildId, UserId};

/// What Discord's client calls these permissions: `Send Messages in Threads`.
pub(crate) fn names(permissions: Permissions) -> Vec<String> {
    permissions.iter_names().map(|(name, _)| spoken(name)).collect()
}

fn spoken(name: &str) -> String {
    let word = |word: &str| match word {
        "IN" | "AND" => word.to_lowercase(),
        _ => word.chars().take(1).chain(word.chars().skip(1).flat_map(char::to_lowercase)).collect(),
    };
    name.split('_').map(word).collect::<Vec<_>>().join(" ")
}

/// The guild's part: its owner, and what each role allows.
#[derive(Debug, Clone)]
pub(crate) struct Guild {
    pub(crate) id: GuildId,
    pub(crate) owner: UserId,
    /// By id. The role of everyone has the guild's id.
    pub(crate) roles: BTreeMap<u64, Permissions>,
    /// The roles that anybody may mention.
    pub(crate) mentionable: BTreeSet<u64>,
    /// The roles that Discord made for bots, by bot.
    pub(crate) bots: BTreeMap<UserId, u64>,
}

/// The member's part.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) id: UserId,
    /// Without the role of everyone.
    pub(crate) roles: Vec<u64>,
    /// Until when the member is in a time-out, if that was ever so.
    pub(crate) timed_out_until: Option<DateTime<Utc>>,
}

/// The channel's part. Threads have none of their own: take the parent's.
#[derive(Debug, Clone, Default)]
pub(crate) struct Overwrites {
    /// By role.
    pub(crate) roles: BTreeMap<u64, Overwrite>,
    /// By user.
    pub(crate) members: BTreeMap<u64, Overwrite>,
}

/// What an overwrite gives and takes.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Overwrite {
    pub(crate) allow: Permissions,
    pub(crate) deny: Permissions,
}

impl Overwrite {
    fn apply(self, permissions: Permissions) -> Permissions {
        (permissions - self.deny) | self.allow
    }
}

/// What is granted to the member, before the rule that nothing counts in a
/// channel that one cannot see. Tells which single permissions are missing.
pub(crate) fn granted(
    guild: &Guild,
    member: &Member,
    overwrites: &Overwrites,
    now: DateTime<Utc>,
) -> Permissions {
    let role = |id: &u64| guild.roles.get(id).copied().unwrap_or_default();
    let everyone = guild.id.get();
    let base = member.roles.iter().map(role).fold(role(&everyone), |all, role| all | role);
    // Neither overwrites nor a time-out bind these two.
    if member.id == guild.owner || base.contains(Permissions::ADMINISTRATOR) {
        return Permissions::all();
    }

    let of_everyone = overwrites.roles.get(&everyone).copied().unwrap_or_default();
    // The member's roles count together: what one of them allows, no other denies.
    let of_roles =
        member.roles.iter().filter(|id| **id != everyone).filter_map(|id| overwrites.roles.get(id)).fold(
            Overwrite::default(),
            |all, one| Overwrite { allow: all.allow | one.allow, deny: all.deny | one.deny },
        );
    let of_member = overwrites.members.get(&member.id.get()).copied().unwrap_or_default();
    let permissions = of_member.apply(of_roles.apply(of_everyone.apply(base)));

    if member.timed_out_until.is_some_and(|until| until > now) {
        permissions & (Permissions::VIEW_CHANNEL | Permissions::READ_MESSAGE_HISTORY)
    } else {
        permissions
    }
}

/// Whether the member has `wanted` in the channel.
pub(crate) fn allows(granted: Permissions, wanted: Permissions) -> bool {
    granted.contains(Permissions::VIEW_CHANNEL | wanted)
}

#[cfg(test)]
mod tests;
