//! Why a webhook is not stored. A new reason begins here: a variant of [`Rule`],
//! what the sender is answered, and what the channel's admins read in `status`.
//! The texts of the answers are in `response`.

#[cfg(test)]
mod tests;

use shared::{ChannelId, refusal::Reason};

use super::{body::BodyError, query::QueryError};
use crate::{
    payload::PayloadError, queue::QueueError, response::WebhookResponse, sources::SourceError,
    trust::NotTrusted, verdict::Denial,
};

/// A webhook that is not stored.
#[derive(Debug)]
pub(crate) struct Rejection {
    pub(crate) rule: Rule,
    /// Whether it was an alert about this bot. Its rejection is
    /// reported to nobody, since the report would be the next alert.
    pub(crate) own: bool,
}

impl<T: Into<Rule>> From<T> for Rejection {
    fn from(rule: T) -> Self {
        Self { rule: rule.into(), own: false }
    }
}

/// The rule that a webhook broke. Its text goes to the log and, for some reasons,
/// to the channel's admins. It never holds what was sent.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Rule {
    #[error("path: unknown")]
    UnknownPath,
    #[error("method: not POST")]
    NotPost,
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error(transparent)]
    Query(#[from] QueryError),
    #[error("query: id is not an id")]
    ChannelNotAnId,
    #[error("query: mention is not an id")]
    MentionNotAnId,
    #[error(transparent)]
    Body(#[from] BodyError),
    #[error(transparent)]
    Payload(#[from] PayloadError),
    #[error("verdict: no channel has id 0")]
    ChannelZero,
    #[error("{1}")]
    Untrusted(ChannelId, NotTrusted),
    #[error("{1}")]
    Denied(ChannelId, Denial),
    #[error("queue: not connected to NATS")]
    NotConnected,
    #[error("{1}")]
    NotStored(ChannelId, QueueError),
    #[error("repeat: this request was stored before")]
    Repeat,
}

impl Rule {
    /// What the sender is answered.
    pub(crate) fn response(&self) -> WebhookResponse {
        match self {
            Self::UnknownPath | Self::NotPost => WebhookResponse::AccessForbidden,
            Self::Source(_) => WebhookResponse::UnauthorizedIp,
            Self::Query(_)
            | Self::Payload(PayloadError::Schema { .. } | PayloadError::OtherSender { .. }) => {
                WebhookResponse::ValidationFailed
            }
            Self::ChannelNotAnId => WebhookResponse::ChannelNotInteger,
            Self::MentionNotAnId => WebhookResponse::MentionNotInteger,
            Self::Body(BodyError::TooLarge(limit)) => WebhookResponse::TooLarge(*limit),
            Self::Body(BodyError::TooSlow | BodyError::Incomplete) | Self::Payload(PayloadError::NotJson) => {
                WebhookResponse::NotJson
            }
            Self::ChannelZero => WebhookResponse::UnauthorizedChannel(ChannelId::new(0)),
            Self::Untrusted(channel, NotTrusted::Evidence(_) | NotTrusted::Unreadable) => {
                WebhookResponse::UnauthorizedChannel(*channel)
            }
            Self::Denied(channel, denial) => denied(*channel, denial),
            Self::NotStored(channel, QueueError::BacklogFull) => WebhookResponse::BacklogFull(*channel),
            Self::NotStored(_, QueueError::Unexpected(_)) => WebhookResponse::Internal,
            Self::Body(BodyError::NoMemory)
            | Self::Untrusted(_, NotTrusted::Unread)
            | Self::NotConnected
            | Self::NotStored(_, QueueError::Unavailable(_)) => WebhookResponse::QueueUnavailable,
            // It looks like a success: who repeats a captured request learns nothing.
            Self::Repeat => WebhookResponse::Repeated,
        }
    }

    /// What the channel's admins read as the reason; `None` where the
    /// request was no webhook, or names no channel.
    pub(crate) const fn reason(&self) -> Option<Reason> {
        Some(match self {
            Self::UnknownPath | Self::NotPost | Self::ChannelNotAnId => return None,
            Self::Source(_) => Reason::Source,
            Self::Query(_) => Reason::Query,
            Self::MentionNotAnId => Reason::MentionNotAnId,
            Self::Body(BodyError::TooLarge(_)) => Reason::TooLarge,
            Self::Body(BodyError::TooSlow | BodyError::Incomplete) | Self::Payload(PayloadError::NotJson) => {
                Reason::NotJson
            }
            Self::Payload(PayloadError::Schema { .. } | PayloadError::OtherSender { .. }) => Reason::Schema,
            Self::Untrusted(_, NotTrusted::Evidence(error)) if error.is_about_token() => Reason::Token,
            Self::Untrusted(_, NotTrusted::Evidence(_)) => Reason::Signature,
            Self::ChannelZero
            | Self::Denied(_, Denial::ChannelNotAuthorized | Denial::ChannelRefusedJustNow) => {
                Reason::NotAuthorized
            }
            Self::Denied(_, Denial::UserUnknown(_)) => Reason::UserUnknown,
            Self::Denied(_, Denial::UserWithoutProject(_)) => Reason::UserWithoutProject,
            Self::Denied(_, Denial::UserOnOtherProject(..)) => Reason::UserOnOtherProject,
            Self::Body(BodyError::NoMemory)
            | Self::Untrusted(_, NotTrusted::Unread)
            | Self::Denied(_, Denial::UnverifiedAlertsFull | Denial::UnverifiedBytesFull)
            | Self::NotConnected
            | Self::NotStored(_, QueueError::Unavailable(_)) => Reason::QueueUnavailable,
            Self::NotStored(_, QueueError::BacklogFull) => Reason::BacklogFull,
            Self::Untrusted(_, NotTrusted::Unreadable) | Self::NotStored(_, QueueError::Unexpected(_)) => {
                Reason::Internal
            }
            Self::Repeat => Reason::Repeat,
        })
    }
}

fn denied(channel: ChannelId, denial: &Denial) -> WebhookResponse {
    match denial {
        Denial::ChannelNotAuthorized | Denial::ChannelRefusedJustNow => {
            WebhookResponse::UnauthorizedChannel(channel)
        }
        Denial::UserUnknown(user) => WebhookResponse::UserUnknown(*user),
        Denial::UserWithoutProject(user) => WebhookResponse::UserWithoutProject(*user),
        Denial::UserOnOtherProject(user, project) => {
            WebhookResponse::UserOnOtherProject(*user, project.clone())
        }
        Denial::UnverifiedAlertsFull | Denial::UnverifiedBytesFull => WebhookResponse::QueueUnavailable,
    }
}
