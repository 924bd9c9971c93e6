//! A channel of a guild: how a person names it, what it is, and why it may be
//! out of reach.

use serenity::model::Permissions;
use shared::{ChannelId, GuildId};

use super::permissions::Overwrites;

/// How a channel was named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ChannelArgument {
    /// By its id or as a mention, `<#id>`.
    Id(ChannelId),
    /// As `#name`, without the `#`.
    Name(String),
}

/// A channel as Discord describes it.
#[derive(Debug, Clone)]
pub(crate) struct Channel {
    pub(crate) id: ChannelId,
    /// None for a private message.
    pub(crate) guild: Option<GuildId>,
    /// A thread's channel, or a channel's category.
    pub(crate) parent: Option<ChannelId>,
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// Whether the bot is a member of this thread, as far as Discord says.
    pub(crate) joined: bool,
    /// A thread's are its parent's.
    pub(crate) overwrites: Overwrites,
}

/// What a channel is, as far as posting is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Takes messages: text, announcements.
    Chat,
    /// Takes messages of those who may enter: a voice channel, a stage.
    Voice,
    /// A thread.
    Thread {
        /// Only those who manage threads can write in it.
        locked: bool,
        /// Only its members and those who manage threads see it.
        private: bool,
    },
    /// Takes none: a category, a forum, or what this build does not know.
    Other,
}

/// Why there is no such channel to be had in the guild.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Missing {
    /// Discord does not know it, or knows no such name in this guild.
    Nowhere,
    /// It is another guild's, or no guild's.
    OtherGuild,
    /// Discord does not let the bot see it.
    NoAccess,
    /// More than one channel has the name.
    Ambiguous,
}

impl Kind {
    /// What one needs beside View Channel before anything that one may do counts.
    pub(crate) const fn to_enter(self) -> Permissions {
        match self {
            Self::Voice => Permissions::CONNECT,
            Self::Chat | Self::Thread { .. } | Self::Other => Permissions::empty(),
        }
    }
}

impl Channel {
    /// What the bot needs to post an alert.
    pub(crate) fn needed_to_post(&self) -> Permissions {
        let common = Permissions::VIEW_CHANNEL | Permissions::EMBED_LINKS | self.kind.to_enter();
        match self.kind {
            Kind::Chat | Kind::Voice | Kind::Other => common | Permissions::SEND_MESSAGES,
            Kind::Thread { locked, private } => {
                let manages = locked || private && !self.joined;
                let threads = if manages { Permissions::MANAGE_THREADS } else { Permissions::empty() };
                common | Permissions::SEND_MESSAGES_IN_THREADS | threads
            }
        }
    }
}
