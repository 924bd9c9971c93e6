//! The question that the ingress asks before it answers Sentry, and the answer.
//! The answer is advice: delivery checks everything again.

use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use crate::ids::{ChannelId, UserId};

/// May an alert of this project go to this channel and mention this user?
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerdictRequest {
    /// The channel for the post.
    pub channel: ChannelId,
    /// The user to mention.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mention: Option<UserId>,
    /// The slug of the alert's project.
    pub project: String,
}

/// The answer of discord-service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr)]
#[serde(tag = "verdict", rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Verdict {
    /// The alert may be posted.
    Accepted,
    /// The channel is unknown or its guild has not authorized it.
    ChannelNotAuthorized,
    /// Discord does not know the mentioned user.
    UserUnknown,
    /// The mentioned user has no project in the channel's guild.
    UserWithoutProject,
    /// The mentioned user has another project there.
    UserOnOtherProject {
        /// The slug of the user's project.
        project: String,
    },
    /// The store cannot be asked now. Store the alert: delivery checks it
    /// later.
    Unavailable,
}
