//! What the rules of a channel made of an alert. discord-service writes it, and
//! the ingress leaves it empty.

use serde::{Deserialize, Serialize};

use crate::ids::{ChannelId, RoleId, UserId};

/// What rules made of an alert.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Routing {
    /// The channel to which Sentry sent it, if a rule there sent it on. That
    /// channel's keys decide whether it is trusted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub home: Option<ChannelId>,
    /// Whom a rule mentions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ping: Option<Ping>,
    /// Why it is in its home though it belongs elsewhere. Messages keep it,
    /// and no alert on the bus has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stranded: Option<Stranded>,
    /// Whether it may only edit messages, because a mute of its home keeps it from
    /// making one.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub quiet: bool,
}

impl Routing {
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Whom a rule mentions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ping {
    /// Everybody with this role.
    Role(RoleId),
    /// One user.
    User(UserId),
}

/// A rule's target that could not take an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Stranded {
    /// The target.
    pub target: ChannelId,
    /// Why it could not.
    pub why: WhyStranded,
}

/// Why a rule's target could not take an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhyStranded {
    /// As many alerts wait there as may.
    Full,
    /// It is not authorized, or Discord does not show it to the bot.
    Gone,
    /// It is secured, and the home is not.
    Secured,
}
