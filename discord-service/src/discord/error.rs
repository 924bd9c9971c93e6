//! Why Discord did not do what was asked, and what its error codes mean for us.

/// Why Discord did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum DiscordError {
    /// 401: the token is not valid. It never heals; the process must end.
    #[error(transparent)]
    BadToken(#[from] shared::process::BadToken),
    /// Any other 4xx but 429: asking the same again answers the same.
    #[error("Discord refused with {status}, code {code}: {message}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// Discord's JSON error code, 0 where there is none.
        code: u32,
        /// Discord's words, with the details of a form error.
        message: String,
    },
    /// No answer in time, no connection, 5xx, or a rate limit that outlasted
    /// the caller's patience: it may or may not have been done.
    #[error("Discord is unavailable: {0:#}")]
    Unavailable(anyhow::Error),
}

/// How far a refusal reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Nothing can be posted to this channel: it is gone, closed, or the bot
    /// lacks a permission there.
    Channel,
    /// This message can never be posted, another one may.
    Message,
    /// The message was posted before, under the same nonce, and deleted since.
    AlreadyPosted,
}

impl DiscordError {
    /// How far the refusal reaches; `None` when this is no refusal.
    pub const fn refusal(&self) -> Option<Refusal> {
        match self {
            Self::Refused { status, code, .. } => Some(refusal(*status, *code)),
            Self::BadToken(_) | Self::Unavailable(_) => None,
        }
    }

    /// Whether Discord says that what the path names does not exist.
    pub(super) const fn is_not_found(&self) -> bool {
        // 400 is the answer to an id that no snowflake can have.
        matches!(self, Self::Refused { status: 400 | 404, .. })
    }
}

/// A code that comes with a 4xx and nevertheless passes: "API resource is
/// currently overloaded".
pub(super) const OVERLOADED: u32 = 130_000;

/// What Discord's JSON error codes mean for a message that was to be posted.
/// <https://docs.discord.com/developers/topics/opcodes-and-status-codes#json>
const fn refusal(status: u16, code: u32) -> Refusal {
    match code {
        10_008 => Refusal::AlreadyPosted, // Unknown message: how a repeated nonce of a deleted one is answered
        10_003      // Unknown channel
        | 10_004    // Unknown guild
        | 50_001    // Missing access
        | 50_008    // Cannot send messages in a channel of this type
        | 50_013    // Missing permissions
        | 50_083    // The thread is archived
        | 160_005   // The thread is locked
        => Refusal::Channel,
        50_006      // Cannot send an empty message
        | 50_035    // Invalid form body
        | 200_000   // Blocked by AutoMod
        | 240_000   // Blocked by harmful links filter
        => Refusal::Message,
        // Codes that are not known here: the status tells what they are about.
        _ if matches!(status, 403 | 404) => Refusal::Channel,
        _ => Refusal::Message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_refusal_has_a_reach() {
        let refused = |code| DiscordError::Refused { status: 403, code, message: String::new() };
        assert_eq!(refused(50_013).refusal(), Some(Refusal::Channel));
        assert_eq!(refused(50_035).refusal(), Some(Refusal::Message));
        assert_eq!(refused(10_008).refusal(), Some(Refusal::AlreadyPosted));
        assert_eq!(refused(0).refusal(), Some(Refusal::Channel));
        let unknown = DiscordError::Refused { status: 400, code: 0, message: String::new() };
        assert_eq!(unknown.refusal(), Some(Refusal::Message));
        assert_eq!(DiscordError::Unavailable(anyhow::anyhow!("away")).refusal(), None);
        assert_eq!(DiscordError::BadToken(shared::process::BadToken).refusal(), None);
    }
}
