//! Why Discord did not do what was asked.

/// Why Discord did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum DiscordError {
    /// The token is not valid, and Discord has said so twice. It never heals; the
    /// process must end.
    #[error(transparent)]
    BadToken(#[from] shared::process::BadToken),
    /// Discord's application refused: asking the same again is answered the same.
    #[error("Discord refused with {status}, code {code}: {message}")]
    Refused {
        /// What the refusal is about.
        refusal: DiscordRefusal,
        /// HTTP status.
        status: u16,
        /// Discord's JSON error code, 0 where there is none.
        code: u32,
        /// Discord's words, with the details of a form error.
        message: String,
    },
    /// A rate limit outlasted the caller's patience: the request certainly was not
    /// done.
    #[error("not sent: Discord's rate limits let no request go in the time that the caller has")]
    NotSent,
    /// A passing fault that says nothing about the request: no answer in time,
    /// no connection, 5xx, or an answer from something in front of Discord.
    #[error("Discord is unavailable: {error:#}")]
    Unavailable {
        /// What happened.
        error: anyhow::Error,
        /// The answer was a 4xx: it certainly was not done. Otherwise it may or
        /// may not have been.
        answered_4xx: bool,
    },
}

/// What a refusal is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiscordRefusal {
    /// The channel: it is gone or closed, or the bot lacks a permission there.
    Channel,
    /// What was looked up: Discord knows no such member, user or id.
    Unknown,
    /// The message that was to be edited is out of reach; another may be posted.
    MessageGone,
    /// The message was posted before, under the same nonce, and deleted since.
    AlreadyPosted,
    /// This message, which can never be taken; another one may.
    Message,
    /// The interaction: it is over, or another answer was taken.
    InteractionOver,
}

impl DiscordError {
    /// What the refusal is about; `None` when this is no refusal.
    pub const fn refusal(&self) -> Option<DiscordRefusal> {
        match self {
            Self::Refused { refusal, .. } => Some(*refusal),
            Self::BadToken(_) | Self::NotSent | Self::Unavailable { .. } => None,
        }
    }

    /// A passing fault after which the request may or may not have been done.
    pub(crate) const fn unavailable(error: anyhow::Error) -> Self {
        Self::Unavailable { error, answered_4xx: false }
    }
}
