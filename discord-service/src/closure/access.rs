//! What keeps the bot from posting in a channel.

use shared::ChannelId;

/// What keeps the bot from posting, as far as Discord says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Access {
    /// The names of the permissions that the bot lacks.
    pub missing: Vec<String>,
    /// When a time-out of the bot ends, in milliseconds since 1970.
    pub timed_out_until_ms: Option<i64>,
    /// Whether the channel was deleted: Discord does not know it.
    pub gone: bool,
    /// The bot is no longer a member of the guild.
    pub removed: bool,
    /// The channel that a thread belongs to, or the channel's category.
    pub parent: Option<ChannelId>,
}

impl Access {
    /// Whether nothing is in the way.
    pub fn suffices(&self) -> bool {
        self.missing.is_empty() && self.timed_out_until_ms.is_none() && !self.gone && !self.removed
    }

    /// What is in the way and what helps, in a sentence or two.
    pub(super) fn remedy(&self) -> String {
        match (self.timed_out_until_ms.and_then(crate::render::utc), self.missing.as_slice()) {
            _ if self.gone => {
                "Discord no longer knows this channel: it was deleted. Give Sentry another channel's URL"
                    .to_owned()
            }
            _ if self.removed => format!("The bot is no longer in this server. Invite it again. {GOES_ON}"),
            (Some(end), _) => format!("The bot is timed out in this server until {end} UTC. {GOES_ON}"),
            (None, []) => {
                format!("Give the bot View Channel, Send Messages and Embed Links there. {GOES_ON}")
            }
            (None, missing) => format!("Give the bot {} there. {GOES_ON}", missing.join(", ")),
        }
    }
}

const GOES_ON: &str = "It then goes on by itself";
