//! What Sentry and other senders send: one module a family. All become the same alert.

mod event;
mod failing_frame;
mod fields;
mod happening;
pub mod legacy;
pub mod other_senders;
mod parsed_alert;
pub mod platform;
pub(crate) mod prune;
mod repair;
mod schema;
mod state_subject;
mod timestamp;
mod title;

use shared::{ChannelId, UserId};

use legacy::LegacyWebhook;
use other_senders::OtherWebhook;
pub(crate) use parsed_alert::ParsedAlert;
use platform::{PlatformResource, PlatformWebhook};
use prune::prune;
pub use schema::PayloadError;
pub(crate) use state_subject::StateSubject;

/// A webhook of any family, of a kind that is posted.
#[derive(Debug, Clone)]
pub(crate) enum ParsedWebhook {
    Legacy(LegacyWebhook),
    Platform(PlatformWebhook),
    Other(OtherWebhook),
}

impl ParsedWebhook {
    /// Reads a request's body. Without a resource it is a legacy one or another
    /// sender's. `None` when nothing is known about the action that it names.
    pub(crate) fn parse(
        resource: Option<&'static PlatformResource>,
        body: &[u8],
    ) -> Result<Option<Self>, PayloadError> {
        if let Some(resource) = resource {
            return Ok(PlatformWebhook::parse(resource, body)?.map(Self::Platform));
        }
        let matters = prune(body, other_senders::BODY)?;
        Ok(Some(match OtherWebhook::of(&matters, body)? {
            Some(webhook) => Self::Other(webhook),
            None => Self::Legacy(LegacyWebhook::of(matters)?),
        }))
    }

    /// Sentry's name of its resource, `legacy`, or another sender's name.
    pub(crate) fn resource(&self) -> &'static str {
        match self {
            Self::Legacy(_) => "legacy",
            Self::Platform(webhook) => webhook.resource(),
            Self::Other(webhook) => webhook.sender(),
        }
    }

    /// Its alerts for this channel and user, received at `received_ms`
    /// milliseconds since 1970. At least one; only other senders send several.
    pub(crate) fn alerts(
        &self,
        channel: ChannelId,
        mention: Option<UserId>,
        received_ms: i64,
    ) -> Vec<ParsedAlert> {
        let (alert, state) = match self {
            Self::Legacy(webhook) => (webhook.alert(channel, mention, received_ms), None),
            Self::Platform(webhook) => (webhook.alert(channel, mention, received_ms), webhook.state()),
            Self::Other(webhook) => return webhook.parsed(channel, mention, received_ms),
        };
        vec![ParsedAlert { alert, state }]
    }
}

/// Prepares what the first request would otherwise wait for.
pub(crate) fn prepare() {
    legacy::prepare();
    platform::prepare();
    other_senders::prepare();
}
