//! Every answer of the HTTP contract, with its status and exact body.

#[cfg(test)]
mod tests;

use actix_web::{
    HttpResponse,
    http::{
        StatusCode,
        header::{ContentType, RETRY_AFTER},
    },
};
use serde_json::Value;
use shared::{ChannelId, UserId};
use strum::{IntoStaticStr, VariantNames};

/// Seconds after which a sender may try again when the queue is away.
const RETRY_UNAVAILABLE: u64 = 30;
/// Seconds after which a sender may try again when a channel's backlog is full:
/// its lane posts many a minute.
const RETRY_BACKLOG: u64 = 60;

/// What a request is answered.
#[derive(Debug, Clone, PartialEq, Eq, IntoStaticStr, VariantNames)]
#[strum(serialize_all = "snake_case")]
pub(crate) enum WebhookResponse {
    /// Stored, and the channel may be posted to.
    Stored,
    /// Stored without a verdict.
    StoredUnverified,
    /// Stored before. A signed request is stored once, a state once in a row.
    Repeated,
    /// Understood, but of a kind that is not posted. Nothing is stored.
    Ignored,
    /// No such path or method.
    AccessForbidden,
    /// The source address is not allowed.
    UnauthorizedIp,
    /// The query or the body breaks its rules.
    ValidationFailed,
    /// The body is absent or not JSON.
    NotJson,
    /// The body is longer than this many bytes.
    TooLarge(u64),
    /// `id` is not an id.
    ChannelNotInteger,
    /// `mention` is not an id.
    MentionNotInteger,
    /// The channel is unknown, not authorized, or demands a token.
    UnauthorizedChannel(ChannelId),
    /// Discord does not know the user.
    UserUnknown(UserId),
    /// The user has no project in the channel's guild.
    UserWithoutProject(UserId),
    /// The user has another project there.
    UserOnOtherProject(UserId, String),
    /// The queue cannot store the alert.
    QueueUnavailable,
    /// Too many alerts wait for the channel.
    BacklogFull(ChannelId),
    /// The head is not valid HTTP/1.1.
    BrokenHead,
    /// The request's head took too long.
    SlowHead,
    /// The request's head is too long, or has too many headers.
    LargeHead,
    /// A fault of this service.
    #[strum(serialize = "internal_error")]
    Internal,
}

impl WebhookResponse {
    /// A short name for counters, one of `VARIANTS`.
    pub(crate) fn name(&self) -> &'static str {
        self.into()
    }

    /// The status of the response.
    pub(crate) const fn status(&self) -> StatusCode {
        match self {
            Self::Stored | Self::Repeated | Self::Ignored => StatusCode::OK,
            Self::StoredUnverified => StatusCode::ACCEPTED,
            Self::AccessForbidden
            | Self::ValidationFailed
            | Self::ChannelNotInteger
            | Self::MentionNotInteger
            | Self::BrokenHead => StatusCode::BAD_REQUEST,
            Self::UnauthorizedIp => StatusCode::FORBIDDEN,
            Self::NotJson => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnauthorizedChannel(_)
            | Self::UserUnknown(_)
            | Self::UserWithoutProject(_)
            | Self::UserOnOtherProject(..) => StatusCode::UNAUTHORIZED,
            Self::QueueUnavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::BacklogFull(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::SlowHead => StatusCode::REQUEST_TIMEOUT,
            Self::LargeHead => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The body of the response. It is written by hand, because the order of
    /// the keys is part of the contract.
    pub(crate) fn body(&self) -> String {
        match self {
            Self::Stored | Self::Repeated | Self::Ignored => r#"{"success":"200"}"#.to_owned(),
            Self::StoredUnverified => r#"{"success":"202"}"#.to_owned(),
            Self::AccessForbidden => r#"{"error":"Access Forbidden"}"#.to_owned(),
            Self::UnauthorizedIp => r#"{"error":"Unauthorized IP"}"#.to_owned(),
            Self::ValidationFailed => {
                r#"{"error":{"type":"validation_failed","message":"Validation failed."}}"#.to_owned()
            }
            Self::NotJson => concat!(
                r#"{"error":{"type":"unsupported_media_type","message":"Expected JSON body.","#,
                r#""invalid":[{"entry_type":"request_body","entry":"","rule":"json","constraint":true}]}}"#
            )
            .to_owned(),
            Self::TooLarge(limit) => {
                format!(
                    r#"{{"error":{{"type":"payload_too_large","message":"Body exceeds {limit} bytes."}}}}"#
                )
            }
            Self::ChannelNotInteger => message("Channel ID must be a string of integer", ""),
            Self::MentionNotInteger => message("Mention ID must be a string of integer", ""),
            Self::UnauthorizedChannel(channel) => {
                message("Unauthorized channel", &format!(r#","channel":{channel}"#))
            }
            Self::UserUnknown(user) => message("User does not exist", &format!(r#","user":{user}"#)),
            Self::UserWithoutProject(user) => {
                message("User is not registered to any project", &format!(r#","id":{user}"#))
            }
            Self::UserOnOtherProject(user, project) => message(
                "User is already registered to other project",
                &format!(r#","id":{user},"project":{}"#, Value::from(project.as_str())),
            ),
            Self::QueueUnavailable => message("Alert queue unavailable", ""),
            Self::BacklogFull(channel) => {
                message("Too many alerts are waiting for this channel", &format!(r#","channel":{channel}"#))
            }
            Self::BrokenHead => {
                message("Malformed headers: send HTTP/1.1 with Host, and Content-Length or chunks", "")
            }
            Self::SlowHead => message("The headers took too long: send them at once", ""),
            Self::LargeHead => message("Too many or too long headers: send fewer", ""),
            Self::Internal => message("An internal error has occurred", ""),
        }
    }

    /// The response. It does not yet hold on to the request's body: see
    /// [`crate::request::body::HeldResponse`].
    pub(crate) fn response(&self) -> HttpResponse<()> {
        let mut response = HttpResponse::build(self.status());
        response.content_type(ContentType::json());
        match self {
            Self::QueueUnavailable => response.insert_header((RETRY_AFTER, RETRY_UNAVAILABLE)),
            Self::BacklogFull(_) => response.insert_header((RETRY_AFTER, RETRY_BACKLOG)),
            _ => &mut response,
        };
        response.finish().drop_body()
    }
}

/// `rest` follows the message: further keys with their values.
fn message(text: &str, rest: &str) -> String {
    format!(r#"{{"error":{{"message":"{text}"{rest}}}}}"#)
}
