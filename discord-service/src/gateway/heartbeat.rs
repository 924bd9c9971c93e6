//! When to send heartbeats, and whether they are answered.

use std::time::Duration;

use anyhow::ensure;
use rand::Rng as _;
use tokio::time::Instant;

/// A session is resumed on another connection if no heartbeat was answered
/// until the next is due. So a far too long interval must not count.
const LONGEST: Duration = Duration::from_secs(120);

/// One connection's heartbeats.
pub(super) struct Heartbeat {
    interval: Duration,
    /// When the next is to be sent.
    pub(super) due: Instant,
    /// The last one that no answer has come to.
    unanswered_since: Option<Instant>,
}

impl Heartbeat {
    /// In the interval that HELLO names, in milliseconds.
    pub(super) fn every(interval_ms: u64) -> Self {
        let interval = Duration::from_millis(interval_ms.max(1)).min(LONGEST);
        // The first one at random, so that a reconnecting crowd spreads out.
        let due = Instant::now() + interval.mul_f64(rand::rng().random());
        Self { interval, due, unanswered_since: None }
    }

    /// One is about to be sent.
    ///
    /// # Errors
    /// When the last was not answered: the other side may be gone.
    pub(super) fn begin(&mut self) -> anyhow::Result<()> {
        ensure!(self.unanswered_since.is_none(), "the last heartbeat was not answered");
        self.unanswered_since = Some(Instant::now());
        self.due = Instant::now() + self.interval;
        Ok(())
    }

    /// The last one was answered.
    pub(super) fn answered(&mut self) {
        if let Some(sent) = self.unanswered_since.take() {
            metrics::histogram!("sentry_bot_gateway_heartbeat_seconds").record(sent.elapsed());
        }
    }
}
