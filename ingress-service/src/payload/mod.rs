//! What Sentry sends: one module a family. Both become the same alert.

mod event;
mod failing_frame;
mod fields;
pub mod legacy;
pub mod platform;
pub(crate) mod prune;
mod repair;
mod schema;
mod timestamp;
mod title;

use shared::{Alert, ChannelId, UserId, alert::UNKNOWN_PROJECT};

use legacy::LegacyWebhook;
pub(crate) use platform::state_subject::StateSubject;
use platform::{PlatformResource, PlatformWebhook};
pub use schema::PayloadError;

/// A webhook of either family, of a kind that is posted.
#[derive(Debug, Clone)]
pub(crate) enum ParsedWebhook {
    Legacy(LegacyWebhook),
    Platform(PlatformWebhook),
}

impl ParsedWebhook {
    /// Reads a request's body: a legacy one without a resource. `None` when
    /// nothing is known about the action that it names.
    pub(crate) fn parse(
        resource: Option<&'static PlatformResource>,
        body: &[u8],
    ) -> Result<Option<Self>, PayloadError> {
        Ok(match resource {
            None => Some(Self::Legacy(LegacyWebhook::parse(body)?)),
            Some(resource) => PlatformWebhook::parse(resource, body)?.map(Self::Platform),
        })
    }

    /// Of what the body describes the state, if of anything.
    pub(crate) fn state(&self) -> Option<StateSubject> {
        match self {
            Self::Legacy(_) => None,
            Self::Platform(webhook) => webhook.state(),
        }
    }

    /// The alert for this channel and user, received at `received_ms`
    /// milliseconds since 1970.
    pub(crate) fn alert(&self, channel: ChannelId, mention: Option<UserId>, received_ms: i64) -> Alert {
        match self {
            Self::Legacy(webhook) => webhook.alert(channel, mention, received_ms),
            Self::Platform(webhook) => webhook.alert(channel, mention, received_ms),
        }
    }
}

/// Prepares what the first request would otherwise wait for.
pub(crate) fn prepare() {
    legacy::prepare();
    platform::prepare();
}

/// An alert that says only whom it is for and when it came.
fn blank(kind: &str, channel: ChannelId, mention: Option<UserId>, received_ms: i64) -> Alert {
    Alert { mention, ..Alert::new(kind, UNKNOWN_PROJECT, channel, received_ms) }
}
