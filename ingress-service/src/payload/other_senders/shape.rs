//! A form of body, and what is read of it.

use serde_json::Value;
use shared::{Alert, ChannelId, alert::Sender};

use crate::payload::{parsed_alert::blank, state_subject::StateSubject};

/// The most alerts that one body makes.
pub const MAX_ALERTS: usize = 10;

/// One form of body of one sender.
pub(super) struct Shape {
    pub(super) sender: Sender,
    pub(super) schema: &'static str,
    /// Whether a body without an `event` has it.
    pub(super) is: fn(&Value) -> bool,
    /// Reads what a body tells. The schema allows the body.
    pub(super) read: fn(&Value) -> Reports,
}

/// One thing that a body tells.
#[derive(Debug, Clone)]
pub(super) struct Report {
    /// The alert without its channel, mention and time of receipt.
    pub(super) alert: Alert,
    /// When it happened, in milliseconds since 1970, where the sender says so.
    pub(super) happened_ms: Option<i64>,
    pub(super) state: Option<StateSubject>,
}

impl Report {
    pub(super) fn new(kind: &str) -> Self {
        Self { alert: blank(kind, ChannelId::new(0), None, 0), happened_ms: None, state: None }
    }
}

/// What a body tells.
pub(super) struct Reports {
    /// The first [`MAX_ALERTS`] of all.
    pub(super) first: Vec<Report>,
    /// How many there are, as far as the body says.
    pub(super) total: u64,
}
