//! Alerts that can never be delivered, kept with the reason until somebody
//! replays them or they are two weeks old.

mod latest;
mod review;

pub use latest::Latest;
pub use review::Replayed;

use std::{collections::BTreeSet, fmt};

use anyhow::Context as _;
use async_nats::{HeaderMap, header::NATS_MESSAGE_ID, jetstream};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use sentry::Level;
use serde::{Deserialize, Serialize};
use shared::{Alert, ChannelId, telemetry, wire};

use crate::{batch::Stored, delivery::log_ids};

/// The version of the record that this build writes.
const VERSION: u32 = 1;
/// Unreadable bytes are kept up to here: enough to see what they are.
const RAW_BYTES: usize = 4096;
/// Publishes under way at once.
const IN_FLIGHT: usize = 128;

/// Why an alert is dead, as one token of the subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
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

impl Reason {
    /// Every reason's token.
    pub const TOKENS: &'static [&'static str] =
        &["revoked", "mention", "untrusted", "expired", "unreachable", "refused", "unreadable"];

    /// The reason as a token of the subject and as a metric's label.
    pub const fn token(self) -> &'static str {
        match self {
            Self::Revoked => "revoked",
            Self::Mention => "mention",
            Self::Untrusted => "untrusted",
            Self::Expired => "expired",
            Self::Unreachable => "unreachable",
            Self::Refused => "refused",
            Self::Unreadable => "unreadable",
        }
    }
}

/// Why, for the machine and in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cause {
    pub(crate) reason: Reason,
    pub(crate) detail: String,
    /// Whether a post with the alert may stand in Discord all the same.
    pub(crate) may_have_been_posted: bool,
}

impl Cause {
    pub(crate) fn new(reason: Reason, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into(), may_have_been_posted: false }
    }

    /// The same, of a post that may have been `sent` before, or surely was not.
    pub(crate) fn if_sent(self, sent: bool) -> Self {
        Self { may_have_been_posted: sent, ..self }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)?;
        if self.may_have_been_posted { f.write_str(" (may have been posted)") } else { Ok(()) }
    }
}

/// What stands in the stream `DEAD_LETTERS`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DeadLetter {
    v: u32,
    /// Why the alert is dead.
    pub reason: Reason,
    /// Why, in words, and what to do about it.
    pub detail: String,
    /// Whether a post with the alert may stand in Discord all the same.
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

    /// Stores these messages of `ALERTS` as dead letters of the channel, for
    /// certain. Doing so again stores none twice.
    pub(crate) async fn bury(
        &self,
        channel: ChannelId,
        messages: Vec<Stored>,
        cause: &Cause,
    ) -> anyhow::Result<()> {
        let subject = wire::dead_letter_subject(cause.reason.token(), channel);
        let ids: BTreeSet<u64> = messages.iter().map(|message| message.sequence).collect();
        let own: Vec<bool> = stream::iter(messages)
            .map(|message| self.bury_one(&subject, channel, message, cause))
            .buffer_unordered(IN_FLIGHT)
            .try_collect()
            .await?;
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
        Stored { sequence, payload, .. }: Stored,
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
        // With the time of receipt the id stays unique when the stream is made anew.
        let received = letter.alert.as_ref().map_or(0, |alert| alert.received_ms);
        let mut headers = HeaderMap::new();
        headers.insert(NATS_MESSAGE_ID, format!("{channel}-{sequence}-{received}"));
        let letter = serde_json::to_vec(&letter).context("cannot encode a dead letter")?;
        let stored = self
            .js
            .publish_with_headers(subject.to_owned(), headers, letter.into())
            .await
            .context("cannot send a dead letter")?;
        stored.await.context("cannot store a dead letter")?;
        Ok(own)
    }
}
