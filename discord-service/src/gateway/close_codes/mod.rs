//! What Discord's close codes ask for, and what they say.
//! <https://docs.discord.com/developers/topics/opcodes-and-status-codes#gateway-gateway-close-event-codes>

/// What the end of a connection asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Closed {
    /// Continue the session.
    Resume,
    /// Begin a new session.
    Identify,
    /// 4004: the token is not valid.
    BadToken,
    /// 4011: the bot is in too many guilds for so few shards.
    TooFewShards,
    /// 4014: MESSAGE_CONTENT is not granted to this bot.
    ContentNotGranted,
    /// It would be closed the same way again.
    Final(u16),
}

impl Closed {
    pub(super) const fn of(code: Option<u16>) -> Self {
        match code {
            // Not authenticated, session no longer valid, invalid sequence, session timed out.
            Some(4003 | 4006 | 4007 | 4009) => Self::Identify,
            Some(4004) => Self::BadToken,
            Some(4011) => Self::TooFewShards,
            Some(code @ (4010 | 4012 | 4013)) => Self::Final(code),
            Some(4014) => Self::ContentNotGranted,
            _ => Self::Resume,
        }
    }
}

/// A close code as Discord's documentation names it, for the operator.
pub(super) const fn words(code: u16) -> &'static str {
    match code {
        1000 => "normal closure",
        1001 => "going away",
        4000 => "unknown error",
        4001 => "unknown opcode",
        4002 => "decode error",
        4003 => "not authenticated",
        4004 => "authentication failed",
        4005 => "already authenticated",
        4006 => "session no longer valid",
        4007 => "invalid seq",
        4008 => "rate limited",
        4009 => "session timed out",
        4010 => "invalid shard",
        4011 => "sharding required",
        4012 => "invalid API version",
        4013 => "invalid intents",
        4014 => "disallowed intents",
        _ => "a code that is not documented",
    }
}

#[cfg(test)]
mod tests;
