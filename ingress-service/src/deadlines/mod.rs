//! The time limits of a connection, of its request, and of the process's end.
//! The limit of an idle seat is in `connection/seats`.
//!
//! Sentry gives up a legacy webhook after 5 s and a modern one after 1 s, and
//! repeats neither. So a request is held while there is no connection to NATS.
//! If NATS is connected and hangs, the request is answered soon.

#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

/// The longest TLS handshake. In a storm on a busy machine all are slow, and a
/// shorter limit would lose alerts. An idle one loses its seat long before.
pub(crate) const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);
/// The longest wait for a request's head.
pub(crate) const HEAD_WITHIN: Duration = Duration::from_secs(5);
/// The longest that a sender may take for its body. Sentry itself gives up
/// after five seconds.
pub(crate) const BODY_WITHIN: Duration = Duration::from_secs(5);
/// How long to keep a connection with an unread rest of a body, so that the
/// sender can read its answer.
pub(crate) const LINGER: Duration = Duration::from_secs(2);

/// The longest that an alert waits beyond its deadline while NATS confirms
/// others. After that Sentry would give up.
pub(crate) const PATIENCE: Duration = Duration::from_millis(400);
/// NATS counts as hanging when it has confirmed nothing for this long. Together
/// with [`AnswerTimeouts::CONTRACT`] this stays within the contract's 500 ms.
pub(crate) const HANGS_AFTER: Duration = Duration::from_millis(100);
/// How long an acknowledgement of NATS may come after its request was answered.
pub(crate) const ACK_WITHIN: Duration = Duration::from_secs(2);
/// How often a request that waits for NATS checks the connection.
pub(crate) const POLL_CONNECTION_EVERY: Duration = Duration::from_millis(20);
/// How long the end of the process waits for the last notes about refusals.
pub(crate) const LAST_NOTES_WITHIN: Duration = Duration::from_millis(500);
/// A load balancer that saw readiness fail still sends requests for this long,
/// until all its parts know.
const SHUTDOWN_NOTICE: Duration = Duration::from_secs(3);

/// How long a legacy webhook is held.
const HOLD_LEGACY: Duration = Duration::from_millis(2_500);
/// How long a modern webhook is held.
const HOLD_MODERN: Duration = Duration::from_millis(700);

/// How long the answer to a complete request may take, even if everything
/// behind hangs. Only tests use others than [`Self::CONTRACT`].
#[derive(Debug, Clone, Copy)]
pub struct AnswerTimeouts {
    /// From a complete body, or the end of a hold, to the answer.
    pub answer: Duration,
    /// The same from the end of a modern webhook's hold.
    pub held_modern_answer: Duration,
    /// The part of both that remains for the queue after the verdict.
    pub store: Duration,
}

impl AnswerTimeouts {
    /// The contract says 500 ms with the handshake.
    pub const CONTRACT: Self = Self {
        answer: Duration::from_millis(350),
        held_modern_answer: Duration::from_millis(200),
        store: Duration::from_millis(150),
    };

    /// The longest wait for a verdict, whatever `VERDICT_TIMEOUT_MS` says.
    pub(crate) const fn verdict(&self) -> Duration {
        self.answer.saturating_sub(self.store)
    }
}

impl Default for AnswerTimeouts {
    fn default() -> Self {
        Self::CONTRACT
    }
}

/// The limits of one request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadlines {
    hold: Instant,
    answer: Duration,
    held_answer: Duration,
}

impl Deadlines {
    /// The limits of a request whose head came at `started`.
    pub(crate) fn of(modern: bool, started: Instant, timeouts: &AnswerTimeouts) -> Self {
        let AnswerTimeouts { answer, held_modern_answer, .. } = *timeouts;
        let (hold, held_answer) =
            if modern { (HOLD_MODERN, held_modern_answer) } else { (HOLD_LEGACY, answer) };
        Self { hold: started + hold, answer, held_answer }
    }

    /// How long it is held at most. It waits for a connection to NATS, for the
    /// first reading of what channels trust, and for room for its body.
    pub(crate) const fn hold(&self) -> Instant {
        self.hold
    }

    /// When it must be answered, counted from now if it was held.
    pub(crate) fn answer(&self, was_held: bool) -> Instant {
        Instant::now() + if was_held { self.held_answer } else { self.answer }
    }
}

/// How long requests are still accepted after readiness was seen to fail.
/// `grace` is the time for the whole stop.
pub(crate) fn shutdown_notice(grace: Duration) -> Duration {
    SHUTDOWN_NOTICE.min(grace / 4)
}
