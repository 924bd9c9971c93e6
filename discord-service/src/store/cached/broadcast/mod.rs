//! What a pod tells all the others when it has written to the store.

use std::fmt;

use shared::{ChannelId, GuildId};

/// What was written. As text, `<guild>.<channel>`, `<guild>` or `trust.<channel>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    /// This channel's row in the guild's list of channels.
    Channel(GuildId, ChannelId),
    /// The projects of the guild's users.
    Projects(GuildId),
    /// What this channel trusts. A build that does not know of it forgets everything.
    Trust(ChannelId),
}

impl Written {
    /// Reads a broadcast; none when it is of a kind that this build does not know.
    pub(super) fn parse(payload: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(payload).ok()?;
        match text.split_once('.') {
            Some(("trust", channel)) => Some(Self::Trust(channel.parse().ok()?)),
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
        }
    }
}

#[cfg(test)]
mod tests;
