//! Discord's ids ("snowflakes"), one type each so that they cannot be mixed up.
//!
//! Zero is a valid value here: it may come in from outside, and serenity's own
//! id types panic on it. Only `discord-service` turns these into serenity's.

#[cfg(test)]
mod tests;

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The text is not an unsigned 64-bit decimal number of 1 to 20 digits.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("an id is an unsigned 64-bit decimal number")]
pub struct InvalidId;

fn parse(text: &str) -> Result<u64, InvalidId> {
    // `u64::from_str` alone would also take a leading `+` and any number of zeros.
    if text.is_empty() || text.len() > 20 || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(InvalidId);
    }
    text.parse().map_err(|_| InvalidId)
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(u64);

        impl $name {
            /// The id with this number.
            pub const fn new(number: u64) -> Self {
                Self(number)
            }

            /// The id as a number.
            pub const fn get(self) -> u64 {
                self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                parse(text).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id!(
    /// A Discord channel or thread.
    ChannelId
);
id!(
    /// A Discord server.
    GuildId
);
id!(
    /// A Discord user.
    UserId
);
id!(
    /// A role of a Discord server.
    RoleId
);
