//! A small server for newcomers, with the same ids at every start, and what they
//! may try with the bot beside it.

mod counters;
mod fresh;
mod payloads;
pub(crate) mod routes;
mod services;
mod switches;

pub use self::services::Services;
use crate::{Channel, ChannelKind, Guild, Role, Sandbox, User, permissions};

/// The bot.
pub const BOT: u64 = 1_100_000_000_000_000_000;
/// The server "Sandbox".
pub const GUILD: u64 = 1_100_000_000_000_000_001;
/// Its owner, olivia.
pub const OWNER: u64 = 1_100_000_000_000_000_010;
/// A moderator, max: has Manage Messages.
pub const MODERATOR: u64 = 1_100_000_000_000_000_011;
/// A plain member, nina.
pub const MEMBER: u64 = 1_100_000_000_000_000_012;
/// #general.
pub const GENERAL: u64 = 1_100_000_000_000_000_100;
/// #alerts.
pub const ALERTS: u64 = 1_100_000_000_000_000_101;

const MODERATORS: u64 = 1_100_000_000_000_000_020;
const ON_CALL: u64 = 1_100_000_000_000_000_021;
const NEWS: u64 = 1_100_000_000_000_000_102;
const THREAD: u64 = 1_100_000_000_000_000_103;
const IDEAS: u64 = 1_100_000_000_000_000_104;
const LOUNGE: u64 = 1_100_000_000_000_000_105;

/// Fills the sandbox with the server.
pub fn fill(sandbox: &Sandbox) {
    for (name, id) in [("olivia", OWNER), ("max", MODERATOR), ("nina", MEMBER)] {
        sandbox.add_user(User::new(name).with_id(id));
    }
    let moderators = Role::new("Moderators", permissions::MANAGE_MESSAGES).with_id(MODERATORS);
    let guild = Guild::new("Sandbox", OWNER)
        .with_id(GUILD)
        .role(moderators)
        .role(Role::new("On call", 0).with_id(ON_CALL).mentionable())
        .member(MODERATOR, &[MODERATORS])
        .member(MEMBER, &[ON_CALL]);
    sandbox.add_guild(guild);
    for channel in [
        Channel::text("general").with_id(GENERAL),
        Channel::text("alerts").with_id(ALERTS),
        Channel::new(ChannelKind::Announcement, "news").with_id(NEWS),
        Channel::thread(GENERAL, "a thread").with_id(THREAD),
        Channel::new(ChannelKind::Forum, "ideas").with_id(IDEAS),
        Channel::new(ChannelKind::Voice, "lounge").with_id(LOUNGE),
    ] {
        sandbox.add_channel(GUILD, channel);
    }
}
