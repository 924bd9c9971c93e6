//! What each family of webhooks makes of a body.

use shared::{Alert, ChannelId, UserId, alert::UNKNOWN_PROJECT};

use super::state_subject::StateSubject;

/// An alert of a webhook.
#[derive(Debug)]
pub(crate) struct ParsedAlert {
    pub(crate) alert: Alert,
    /// What it tells the state of, if it does.
    pub(crate) state: Option<StateSubject>,
}

/// An alert that says only whom it is for and when it came.
pub(super) fn blank(kind: &str, channel: ChannelId, mention: Option<UserId>, received_ms: i64) -> Alert {
    Alert { mention, ..Alert::new(kind, UNKNOWN_PROJECT, channel, received_ms) }
}
