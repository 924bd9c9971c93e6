//! The time limits of a connection and of its request. How long an idle one keeps
//! its seat is in `connection/seats`, and the verdict's time in `settings`.
//!
//! Sentry gives up a legacy webhook after 5 s and a modern one after 1 s, and
//! repeats neither. So an alert is held while there is no NATS to hold it, and
//! nobody is kept waiting where NATS is there and does not answer.

#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

/// The longest TLS handshake: in a storm on a busy machine all are slow, and to
/// give them all up would lose what a little patience keeps. An idle one has to
/// give way long before.
pub(crate) const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);
/// The longest wait for a request's head.
pub(crate) const HEAD_WITHIN: Duration = Duration::from_secs(5);
/// The longest that a sender may take for its body: Sentry itself gives up
/// after five seconds.
pub(crate) const BODY_WITHIN: Duration = Duration::from_secs(5);
/// How long a connection is kept for the rest of a body that was not read, so
/// that the sender gets to read its answer.
pub(crate) const LINGER: Duration = Duration::from_secs(2);

/// From a complete body, or from the end of a hold, to its answer, also when
/// everything behind hangs. The contract says 500 ms, handshake included.
pub(crate) const ANSWER_WITHIN: Duration = Duration::from_millis(350);
/// Of that, what the verdict leaves for the queue.
pub(crate) const STORE_WITHIN: Duration = Duration::from_millis(150);

/// An alert waits longer than its answer's time while NATS confirms others, but
/// this much at most: then Sentry is about to give up.
pub(crate) const PATIENCE: Duration = Duration::from_millis(400);
/// NATS hangs when it has confirmed nothing for so long. With the time that an
/// answer may take anyway this stays within the contract's 500 ms.
pub(crate) const HANGS_AFTER: Duration = Duration::from_millis(100);
/// How long an acknowledgement of NATS counts as under way after its request was
/// answered.
pub(crate) const ACK_WITHIN: Duration = Duration::from_secs(2);
/// How often a request that waits for the connection to NATS looks at it.
pub(crate) const POLL_CONNECTION_EVERY: Duration = Duration::from_millis(20);
/// How long the end of the process waits for the last notes about refusals.
pub(crate) const LAST_NOTES_WITHIN: Duration = Duration::from_millis(500);

/// How long a legacy webhook is held.
const HOLD_LEGACY: Duration = Duration::from_millis(2_500);
/// How long a modern webhook is held.
const HOLD_MODERN: Duration = Duration::from_millis(700);
/// From the end of a modern webhook's hold to its answer.
const MODERN_ANSWER_WITHIN: Duration = Duration::from_millis(200);

/// The limits of one request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadlines {
    hold: Instant,
    held_answer_within: Duration,
}

impl Deadlines {
    /// Of a request whose head came at `started`.
    pub(crate) fn of(modern: bool, started: Instant) -> Self {
        let (hold, held_answer_within) =
            if modern { (HOLD_MODERN, MODERN_ANSWER_WITHIN) } else { (HOLD_LEGACY, ANSWER_WITHIN) };
        Self { hold: started + hold, held_answer_within }
    }

    /// Until when it is held: while there is no connection to NATS, while what
    /// channels trust was never read, and while there is no room for its body.
    pub(crate) const fn hold(&self) -> Instant {
        self.hold
    }

    /// Until when it is answered once nothing holds it any longer.
    pub(crate) fn answer(&self, was_held: bool) -> Instant {
        Instant::now() + if was_held { self.held_answer_within } else { ANSWER_WITHIN }
    }
}
