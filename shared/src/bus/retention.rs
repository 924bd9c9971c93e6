//! How long and how much each stream and bucket keeps. Settings have the other
//! limits: `ALERTS_MAX_BYTES`, `DEAD_LETTERS_MAX_BYTES`, `CHANNEL_BACKLOG_MAX`.

use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// An alert that waits longer is never posted. This must stay above the largest
/// `ALERT_MAX_AGE_SECS`, so that the lane makes a dead letter before NATS drops it.
pub const ALERTS_FOR: Duration = DAY.saturating_mul(7);
/// How long a dead letter can be read and replayed.
pub const DEAD_LETTERS_FOR: Duration = DAY.saturating_mul(14);

/// How long JetStream recognises a repeated `Nats-Msg-Id`.
pub const DUPLICATE_WINDOW: Duration = Duration::from_secs(10 * 60);
/// How long to remember a signed request.
pub const SEEN_FOR: Duration = DAY.saturating_mul(7);
/// How long to remember the last body of a state. It is longer than
/// [`DUPLICATE_WINDOW`]. So two alerts that JetStream could confuse never
/// follow notes of the same revision.
pub const STATE_FOR: Duration = DUPLICATE_WINDOW.saturating_mul(2);
/// The most bytes of notes about requests, for about a million of them.
/// nats-server keeps an index of all in memory. The oldest are dropped first.
pub(super) const SEEN_MAX_BYTES: i64 = 256 << 20;

/// How long to remember which message shows an issue, after its last change.
pub(super) const MESSAGES_FOR: Duration = DAY.saturating_mul(30);
/// The most bytes about messages. The oldest are dropped first.
pub(super) const MESSAGES_MAX_BYTES: i64 = 256 << 20;

/// How long a message's stack trace can be shown.
pub(super) const STACK_TRACES_FOR: Duration = DAY.saturating_mul(3);
/// The most that is kept of stack traces, tens of thousands of them; the oldest go
/// first.
pub(super) const STACK_TRACES_MAX_BYTES: i64 = 64 << 20;

/// How long to remember that a routed alert was finished: a day, and an hour for the
/// home's lane to remove its copy.
pub(super) const ROUTED_FOR: Duration = Duration::from_secs(25 * 60 * 60);
/// The most bytes of ids of routed alerts, for more than a million of them. nats-server
/// keeps an index of all in memory. The oldest are dropped first.
pub(super) const ROUTED_MAX_BYTES: i64 = 256 << 20;

/// How long `status` can show a refusal.
pub(super) const REFUSALS_FOR: Duration = DAY.saturating_mul(7);
/// Enough for tens of thousands of channels. The oldest are dropped first.
pub(super) const REFUSALS_MAX_BYTES: i64 = 32 << 20;
/// How many refusals of one kind are kept for each channel.
pub(super) const REFUSALS_EACH: i64 = 5;

/// The longest life of a lease. When NATS starts, it removes older keys, even a
/// key that should never expire (measured with 2.15.1). So this is far longer
/// than any table is in use.
pub(super) const LEASES_FOR: Duration = DAY.saturating_mul(365);

/// The limit of a bucket without one of its own, in an account that demands one.
pub(super) const BUCKET_MAX_BYTES: i64 = 64 << 20;

/// How long a network that vanished from Sentry's published list may still send.
pub(crate) const VANISHED_NETWORKS_FOR: Duration = DAY.saturating_mul(30);
