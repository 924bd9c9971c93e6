//! Alerts that can never be delivered, kept with the reason until somebody
//! replays them or they are two weeks old. The lane checks whether an alert is too
//! old to be posted: the age is the setting `ALERT_MAX_AGE_SECS`.

mod latest;
mod review;

pub use latest::Latest;
pub use review::Replayed;

use std::{collections::BTreeSet, fmt};

use anyhow::{Context as _, ensure};
use async_nats::{HeaderMap, header::NATS_MESSAGE_ID, jetstream};
use async_trait::async_trait;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use sentry::Level;
use serde::{Deserialize, Serialize};
use shared::{Alert, ChannelId, telemetry, wire};
use strum::{IntoStaticStr, VariantNames};

use crate::{direct_get::StoredMessage, leader_stream::LeaderStream, sequences::log_ids};

/// The version of the record that this build writes.
const VERSION: u32 = 1;
/// Unreadable bytes are kept up to here: enough to see what they are.
const RAW_BYTES: usize = 4096;
/// Publishes under way at once.
const IN_FLIGHT: usize = 128;

/// Why an alert is dead, as one token of the subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr, VariantNames)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum DeadLetterReason {
    /// The channel is no longer authorized.
    Revoked,
    /// The mentioned user is not entitled to this project's mentions.
    Mention,
    /// The key under which it came is no longer valid, or the channel demands one.
    Untrusted,
    /// It waited longer than `ALERT_MAX_AGE_SECS`.
    Expired,
    /// Discord does not let the bot post in the channel, or it is gone.
    Unreachable,
    /// Discord refused the message itself.
    Refused,
    /// Not an alert that this build can read.
    Unreadable,
}

impl DeadLetterReason {
    /// The reason as a token of the subject and as a metric's label.
    pub fn token(self) -> &'static str {
        self.into()
    }
}

/// Why, for the machine and in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cause {
    pub(crate) reason: DeadLetterReason,
    pub(crate) detail: String,
    /// Whether a post with the alert may be in Discord all the same.
    pub(crate) may_have_been_posted: bool,
}

impl Cause {
    pub(crate) fn new(reason: DeadLetterReason, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into(), may_have_been_posted: false }
    }

    /// The same, of a post that may be in Discord, or surely is not.
    pub(crate) fn maybe_posted(self, may_have_been_posted: bool) -> Self {
        Self { may_have_been_posted, ..self }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)?;
        if self.may_have_been_posted { f.write_str(" (may have been posted)") } else { Ok(()) }
    }
}

/// A message of the stream `DEAD_LETTERS`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DeadLetter {
    v: u32,
    /// Why the alert is dead.
    pub reason: DeadLetterReason,
    /// Why, in words, and what to do about it.
    pub detail: String,
    /// Whether a post with the alert may be in Discord all the same.
    #[serde(default)]
    pub may_have_been_posted: bool,
    /// Since when it is dead, in milliseconds since 1970.
    pub died_ms: i64,
    /// The alert, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert: Option<Alert>,
    /// The bytes themselves, in base64 and perhaps cut, where they are no alert.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw: Option<String>,
}

/// The stream `DEAD_LETTERS`. Cheap to clone.
#[derive(Debug, Clone)]
pub struct DeadLetters {
    js: jetstream::Context,
}

impl DeadLetters {
    /// Access over this connection.
    pub const fn new(js: jetstream::Context) -> Self {
        Self { js }
    }

    /// The connection's JetStream.
    pub(crate) const fn js(&self) -> &jetstream::Context {
        &self.js
    }
}

/// What a lane does with dead letters.
#[async_trait]
pub(crate) trait LetterStream: Send + Sync {
    /// Stores one on this subject, for certain; once for each id within
    /// JetStream's window.
    async fn store(&self, subject: &str, id: &str, letter: Bytes) -> anyhow::Result<()>;
    /// The channel's dead letters that are unreachable, from this sequence on, as
    /// [`DeadLetters::page`].
    async fn unreachable(
        &self,
        channel: ChannelId,
        from: u64,
    ) -> anyhow::Result<Vec<(u64, Option<DeadLetter>)>>;
    /// The sequence of the last dead letter of all.
    async fn last(&self) -> anyhow::Result<u64>;
    /// Puts one back into the queue, as old as it is, and takes it away; once for
    /// each within JetStream's window.
    async fn put_back(&self, sequence: u64, alert: &Alert) -> anyhow::Result<()>;
}

#[async_trait]
impl LetterStream for DeadLetters {
    async fn store(&self, subject: &str, id: &str, letter: Bytes) -> anyhow::Result<()> {
        let mut headers = HeaderMap::new();
        headers.insert(NATS_MESSAGE_ID, id);
        let stored = self.js.publish_with_headers(subject.to_owned(), headers, letter).await;
        stored.context("cannot send a dead letter")?.await.context("cannot store a dead letter")?;
        Ok(())
    }

    async fn unreachable(
        &self,
        channel: ChannelId,
        from: u64,
    ) -> anyhow::Result<Vec<(u64, Option<DeadLetter>)>> {
        self.page_of(&wire::dead_letter_subject(DeadLetterReason::Unreachable.token(), channel), from).await
    }

    async fn last(&self) -> anyhow::Result<u64> {
        let mut stream = self.js.get_stream(wire::DEAD_LETTERS).await.context("no dead letters yet")?;
        Ok(stream.info().await.context("cannot count the dead letters")?.state.last_sequence)
    }

    async fn put_back(&self, sequence: u64, alert: &Alert) -> anyhow::Result<()> {
        // The id is made of the dead letter's stream and sequence, so that it is stored
        // once, however often it is put back.
        let mut headers = HeaderMap::new();
        let id = format!("{}-{}-{sequence}-{}", alert.channel, wire::DEAD_LETTERS, alert.timestamp_ms);
        headers.insert(NATS_MESSAGE_ID, id);
        let stored = self
            .js
            .publish_with_headers(wire::alert_subject(alert.channel), headers, alert.encode().into())
            .await
            .context("cannot put an alert back")?;
        stored.await.context("cannot put an alert back")?;
        let stream =
            self.js.get_stream_no_info(wire::DEAD_LETTERS).await.context("cannot find the stream")?;
        match stream.delete_message(sequence).await {
            Ok(deleted) => ensure!(deleted, "the dead letter was not removed"),
            // Another put it back as well: both stored it once.
            Err(error) => match LeaderStream::new(&self.js, wire::DEAD_LETTERS).await?.get(sequence).await {
                Ok(None) => {}
                _ => return Err(error).context("cannot remove the dead letter"),
            },
        }
        Ok(())
    }
}

impl DeadLetter {
    /// Whether it is one of those that follow when its channel is open again:
    /// certainly not posted, and received after this time (milliseconds since 1970).
    pub(crate) fn follows(&self, oldest_ms: i64) -> bool {
        let young = |alert: &Alert| alert.waiting_since_ms() >= oldest_ms && !alert.may_have_been_posted;
        self.reason == DeadLetterReason::Unreachable
            && !self.may_have_been_posted
            && self.alert.as_ref().is_some_and(young)
    }
}

impl dyn LetterStream {
    /// Stores these messages of `ALERTS` as dead letters of the channel, for
    /// certain. Doing so again stores none twice.
    pub(crate) async fn bury(
        &self,
        channel: ChannelId,
        messages: Vec<StoredMessage>,
        cause: &Cause,
    ) -> anyhow::Result<()> {
        let subject = wire::dead_letter_subject(cause.reason.token(), channel);
        let ids: BTreeSet<u64> = messages.iter().map(|message| message.sequence).collect();
        let letters = messages.into_iter().map(|message| self.bury_one(&subject, channel, message, cause));
        let letters: Vec<_> = letters.collect();
        let own: Vec<bool> = stream::iter(letters).buffer_unordered(IN_FLIGHT).try_collect().await?;
        let reason = cause.reason.token();
        metrics::counter!("sentry_bot_dead_letters_total", "reason" => reason).increment(own.len() as u64);
        let alert_ids = log_ids(&ids);
        for alert_ids in &alert_ids {
            tracing::warn!(channel.id = %channel, alert.ids = %alert_ids, alerts = own.len(), reason, "dead letters: {cause}");
        }
        // Of the bot's own failures nobody hears through what has just failed.
        if own.contains(&false) {
            let facts = [
                ("channel", channel.to_string()),
                ("alerts", alert_ids.into_iter().next().unwrap_or_default()),
                ("why", cause.to_string()),
            ];
            let message = format!("Alerts became dead letters: {reason}");
            telemetry::capture(&format!("dead-letters/{reason}"), Level::Warning, &message, &facts);
        }
        Ok(())
    }

    /// Whether it was an alert about this bot.
    async fn bury_one(
        &self,
        subject: &str,
        channel: ChannelId,
        StoredMessage { sequence, payload, .. }: StoredMessage,
        cause: &Cause,
    ) -> anyhow::Result<bool> {
        let alert = Alert::decode(&payload).ok();
        let own = alert.as_ref().is_some_and(|alert| alert.own);
        let raw = alert.is_none().then(|| BASE64_STANDARD.encode(&payload[..payload.len().min(RAW_BYTES)]));
        let letter = DeadLetter {
            v: VERSION,
            reason: cause.reason,
            detail: cause.detail.clone(),
            // A replay does not make it any surer.
            may_have_been_posted: cause.may_have_been_posted
                || alert.as_ref().is_some_and(|alert| alert.may_have_been_posted),
            died_ms: chrono::Utc::now().timestamp_millis(),
            alert,
            raw,
        };
        // With the time of receipt the id is unique even after the stream was
        // made again.
        let received = letter.alert.as_ref().map_or(0, |alert| alert.received_ms);
        let id = format!("{channel}-{sequence}-{received}");
        let letter = serde_json::to_vec(&letter).context("cannot encode a dead letter")?;
        self.store(subject, &id, letter.into()).await?;
        Ok(own)
    }
}
