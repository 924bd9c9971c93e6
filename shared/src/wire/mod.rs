//! Every name on the bus. No other module writes a subject by hand, so that the
//! two services cannot disagree.

#[cfg(test)]
mod tests;

use crate::ids::ChannelId;

/// The stream of alerts that wait to be posted.
pub const ALERTS: &str = "ALERTS";
/// What [`ALERTS`] stores: `alerts.<partition>.<channel id>`.
pub const ALERTS_SUBJECTS: &str = "alerts.*.*";

/// The subject of the wake-up: NATS says that an alert is stored, without its
/// content, once it can be read. See [`stored_subjects`].
pub const STORED_DESTINATION: &str = "stored.{{wildcard(1)}}.{{wildcard(2)}}";

/// All subjects of wake-ups: `stored.<partition>.<channel id>`.
pub const STORED_SUBJECTS: &str = "stored.*.*";

/// The stream of alerts that cannot be delivered.
pub const DEAD_LETTERS: &str = "DEAD_LETTERS";
/// What [`DEAD_LETTERS`] stores: `dead.<reason>.<channel id>`.
pub const DEAD_LETTERS_SUBJECTS: &str = "dead.*.*";

/// Request and reply: may this alert be posted?
pub const VERDICT: &str = "verdict";
/// The queue group that answers [`VERDICT`].
pub const VERDICT_GROUP: &str = "discord-service";

/// Broadcast: a command changed what the store holds. The payload says what:
///
/// - `<guild id>.<channel id>`: the channel's authorization
/// - `<guild id>`: the projects of its users
/// - `trust.<channel id>`: what the channel trusts
/// - `rules.<channel id>`: its rules and mutes
pub const STORE_CHANGED: &str = "store.changed";

/// Broadcast: an event at Discord may open a channel that was closed. The
/// payload is JSON, discord-service's `Reopening`.
pub const REOPENING: &str = "reopening";

/// KV bucket: the record of each channel's lane. Keys are channel ids.
pub const LANES: &str = "lanes";

/// KV bucket: every channel that was ever found authorized, with its guild's
/// id.
pub const CHANNELS: &str = "channels";

/// KV bucket: which pod of discord-service serves which partition and which
/// shard of the gateway.
pub const LEASES: &str = "leases";

/// KV bucket: what each secured channel trusts, a
/// [`crate::trust::ChannelTrust`] for each channel id. discord-service writes
/// it, and the ingress watches it.
pub const TRUST: &str = "trust";

/// KV bucket: requests that were stored, so that a captured one cannot be
/// repeated. Keys are `<channel id>.<SHA-256 of the body>` for signed requests,
/// and `<channel id>.<kind>.<issue, metric alert or comment>` for states.
pub const SEEN: &str = "seen";

/// KV bucket: the addresses that Sentry publishes, as [`crate::sentry_ip_ranges`] writes
/// them. discord-service writes it, and the ingress reads it.
pub const SOURCES: &str = "sources";
/// The one key of [`SOURCES`].
pub const SOURCES_KEY: &str = "sentry";

/// KV bucket: the last refusals of each channel, with a history of five under
/// each `<channel id>.<line>`. The ingress writes it, and `status` shows it.
pub const REFUSALS: &str = "refusals";

/// KV bucket: which messages of Discord show an issue, under `<channel
/// id>.issue.<id>`, and what each message shows, under `<channel
/// id>.message.<message id>`. A key is forgotten after a month without a write.
pub const MESSAGES: &str = "messages";

/// KV bucket: the stack traces that messages of Discord offer, under
/// `<channel id>.<message id>`. What is older than three days is forgotten.
pub const STACK_TRACES: &str = "stack_traces";

/// KV bucket: the routed alerts that their target's lane has finished, without values.
/// Keys are `<target>.<home>.<creation of the home's stream>.<sequence there>`. A copy
/// of such an alert is dropped.
pub const ROUTED: &str = "routed";

/// KV bucket of the store: a key `<channel>.<guild>` for each authorized
/// channel. The value is a note of its trust and rules, to notice a loss.
pub const CHANNEL_LIST: &str = "channel-list";

/// KV bucket of the store: the projects of each guild's users.
pub const USER_PROJECTS: &str = "user-projects";

/// KV bucket of the store: what each channel trusts.
pub const CHANNEL_TRUST: &str = "channel-trust";

/// KV bucket of the store: the rules and mutes of each channel.
pub const CHANNEL_RULES: &str = "channel-rules";

/// How many partitions the alerts have. It can never change, because every
/// subject has it.
pub const PARTITIONS: u64 = 64;

/// The partition of a channel: the top six bits of the id multiplied by 2^64/φ
/// (Fibonacci hashing). The low bits of Discord's ids are nearly constant.
pub const fn partition(channel: ChannelId) -> u64 {
    channel.get().wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (64 - PARTITIONS.trailing_zeros())
}

/// The subject on which an alert for this channel is stored.
pub fn alert_subject(channel: ChannelId) -> String {
    format!("alerts.{}.{channel}", partition(channel))
}

/// The subjects of wake-ups for this partition.
pub fn stored_subjects(partition: u64) -> String {
    format!("stored.{partition}.*")
}

/// The stream that a bucket is, by NATS's rules for buckets.
pub fn bucket_stream(bucket: &str) -> String {
    format!("KV_{bucket}")
}

/// The subject of a key of this bucket, by NATS's rules for buckets.
fn key_subject(bucket: &str, key: impl std::fmt::Display) -> String {
    format!("$KV.{bucket}.{key}")
}

/// The subject of a dead letter. `reason` is a single token.
pub fn dead_letter_subject(reason: &str, channel: ChannelId) -> String {
    format!("dead.{reason}.{channel}")
}

/// The subject in [`SEEN`] of the note that a signed body was stored for this
/// channel. `sha256` is in hexadecimal.
pub fn seen_subject(channel: ChannelId, sha256: &str) -> String {
    key_subject(SEEN, format_args!("{channel}.{sha256}"))
}

/// The subject in [`SEEN`] of the note about the last body of a state. `kind`
/// and `id` are single tokens.
pub fn state_subject(channel: ChannelId, kind: &str, id: &str) -> String {
    key_subject(SEEN, format_args!("{channel}.{kind}.{id}"))
}

/// The subject of the copy of Sentry's addresses in the bucket [`SOURCES`].
pub fn sources_subject() -> String {
    key_subject(SOURCES, SOURCES_KEY)
}

/// The subject of this channel's refusals of one line. `line` is a single
/// token.
pub fn refusals_subject(channel: ChannelId, line: &str) -> String {
    key_subject(REFUSALS, format_args!("{channel}.{line}"))
}

/// The subjects of all refusals of this channel.
pub fn refusals_subjects(channel: ChannelId) -> String {
    key_subject(REFUSALS, format_args!("{channel}.>"))
}

/// The channel at the end of an alert's or a dead letter's subject, if it is one.
pub fn subject_channel(subject: &str) -> Option<ChannelId> {
    subject.rsplit('.').next()?.parse().ok()
}
