//! What of a shard's session outlives a connection, and the pod.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::{
    events_in_flight::{EventsInFlight, Handling},
    protocol::Ready,
};

/// What it takes to continue a session after its connection broke, from any pod.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Resumable {
    pub(super) url: String,
    pub(super) session_id: String,
    pub(super) seq: u64,
    pub(super) bot: u64,
    /// Up to here a predecessor has heard …
    #[serde(default)]
    heard: u64,
    /// … and handled all but these.
    #[serde(default)]
    left: BTreeSet<u64>,
}

/// How far a shard is, kept by the caller beyond a connection.
pub(super) struct Progress {
    /// The session, while there is one.
    pub(super) session: watch::Sender<Option<Resumable>>,
    /// What of it is still being handled.
    pub(super) in_flight: EventsInFlight,
}

impl Progress {
    /// Begins to handle the event that came last, and says as which bot; `None`
    /// where that is done.
    pub(super) fn handle(&self) -> Option<(u64, Handling)> {
        let session = self.session.borrow();
        let session = session.as_ref().filter(|session| !session.was_handled(session.seq))?;
        Some((session.bot, self.in_flight.begin(session.seq)))
    }
}

impl Resumable {
    /// A session that has just begun.
    pub(super) fn new(ready: Ready, seq: u64) -> Self {
        let Ready { resume_gateway_url: url, session_id, user } = ready;
        Self { url, session_id, seq, bot: user.id, heard: 0, left: BTreeSet::new() }
    }

    /// The same session for a successor, who hears again what is being handled.
    pub(super) fn leaving(mut self, in_flight: BTreeSet<u64>) -> Self {
        // What a predecessor left may not all have been heard again.
        self.left.retain(|event| *event > self.seq);
        self.left.extend(in_flight);
        self.heard = self.heard.max(self.seq);
        self.seq = self.left.first().map_or(self.seq, |first| self.seq.min(first.saturating_sub(1)));
        self
    }

    /// Whether the event of this number was handled by a predecessor. To do it again
    /// would undo what came after it.
    fn was_handled(&self, event: u64) -> bool {
        event <= self.heard && !self.left.contains(&event)
    }
}

#[cfg(test)]
mod tests;
