//! Gateway v10 over WebSocket, JSON without compression: what serenity speaks.

mod connection;
mod dispatch;
mod identify;
pub(crate) mod sessions;

pub(crate) use connection::upgrade;

/// What a client or the server sends: `op`.
pub(crate) mod op {
    pub(crate) const DISPATCH: u64 = 0;
    pub(crate) const HEARTBEAT: u64 = 1;
    pub(crate) const IDENTIFY: u64 = 2;
    pub(crate) const PRESENCE_UPDATE: u64 = 3;
    pub(crate) const VOICE_STATE_UPDATE: u64 = 4;
    pub(crate) const RESUME: u64 = 6;
    pub(crate) const RECONNECT: u64 = 7;
    pub(crate) const REQUEST_GUILD_MEMBERS: u64 = 8;
    pub(crate) const INVALID_SESSION: u64 = 9;
    pub(crate) const HELLO: u64 = 10;
    pub(crate) const HEARTBEAT_ACK: u64 = 11;
}

/// Why the server ends a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Close {
    UnknownOpcode,
    DecodeError,
    NotAuthenticated,
    AuthenticationFailed,
    AlreadyAuthenticated,
    InvalidSequence,
    RateLimited,
    SessionTimedOut,
    InvalidShard,
    ShardingRequired,
    InvalidVersion,
    InvalidIntents,
    DisallowedIntents,
}

impl Close {
    /// Whether a session that was closed with this code cannot be resumed.
    pub(crate) const fn ends_session(code: u16) -> bool {
        matches!(code, 4004 | 4007 | 4009..=4014)
    }

    /// The code and the words that Discord gives.
    pub(crate) const fn code(self) -> (u16, &'static str) {
        match self {
            Self::UnknownOpcode => (4001, "Unknown opcode."),
            Self::DecodeError => (4002, "Error while decoding payload."),
            Self::NotAuthenticated => (4003, "Not authenticated."),
            Self::AuthenticationFailed => (4004, "Authentication failed."),
            Self::AlreadyAuthenticated => (4005, "Already authenticated."),
            Self::InvalidSequence => (4007, "Invalid seq."),
            Self::RateLimited => (4008, "Rate limited."),
            Self::SessionTimedOut => (4009, "Session timed out."),
            Self::InvalidShard => (4010, "Invalid shard."),
            Self::ShardingRequired => (4011, "Sharding required."),
            Self::InvalidVersion => (4012, "Invalid API version."),
            Self::InvalidIntents => (4013, "Invalid intent(s)."),
            Self::DisallowedIntents => (4014, "Disallowed intent(s)."),
        }
    }
}

/// Which events a session gets.
pub(crate) mod intents {
    pub(crate) const GUILDS: u64 = 1 << 0;
    pub(crate) const GUILD_MEMBERS: u64 = 1 << 1;
    pub(crate) const GUILD_PRESENCES: u64 = 1 << 8;
    pub(crate) const GUILD_MESSAGES: u64 = 1 << 9;
    pub(crate) const DIRECT_MESSAGES: u64 = 1 << 12;
    pub(crate) const MESSAGE_CONTENT: u64 = 1 << 15;
    /// All bits that Discord defines: 0 to 16, 20, 21, 24 and 25.
    pub(crate) const KNOWN: u64 = ((1 << 17) - 1) | (1 << 20) | (1 << 21) | (1 << 24) | (1 << 25);
}
