//! What a pod tells all the others when it has written to the store.

use std::fmt;

use shared::{ChannelId, GuildId};

/// What was written. As text, `<guild>.<channel>`, `<guild>`, `trust.<channel>` or
/// `rules.<channel>`. A build that does not know of one forgets everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    /// This channel's row in the guild's list of channels.
    Channel(GuildId, ChannelId),
    /// The projects of the guild's users.
    Projects(GuildId),
    /// What this channel trusts.
    Trust(ChannelId),
    /// This channel's rules and mutes.
    Rules(ChannelId),
}

impl Written {
    /// Reads a broadcast; none when it is of a kind that this build does not know.
    pub(super) fn parse(payload: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(payload).ok()?;
        match text.split_once('.') {
            Some(("trust", channel)) => Some(Self::Trust(channel.parse().ok()?)),
            Some(("rules", channel)) => Some(Self::Rules(channel.parse().ok()?)),
            Some((guild, channel)) => Some(Self::Channel(guild.parse().ok()?, channel.parse().ok()?)),
            None => Some(Self::Projects(text.parse().ok()?)),
        }
    }
}

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Channel(guild, channel) => write!(f, "{guild}.{channel}"),
            Self::Projects(guild) => guild.fmt(f),
            Self::Trust(channel) => write!(f, "trust.{channel}"),
            Self::Rules(channel) => write!(f, "rules.{channel}"),
        }
    }
}

#[cfg(test)]
mod tests;
