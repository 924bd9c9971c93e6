//! Signed requests are stored once. What is signed is the body alone, so a
//! captured request can be sent again with any headers: its body is what gives
//! it away. JetStream recognises it by its `Nats-Msg-Id` for ten minutes, unless
//! it restarts; the bucket [`wire::SEEN`] for as long as [`Signed`] says.

use std::time::{Duration, Instant};

use async_nats::{
    StatusCode,
    jetstream::{Context, context::PublishError, message::PublishMessage, stream::DirectGetErrorKind},
};
use sha2::{Digest as _, Sha256};
use shared::{
    Alert, ChannelId,
    alert::Trust,
    bus::{DUPLICATE_WINDOW, SEEN_FOR},
    wire,
};
use tokio::time::{sleep, timeout_at};

use super::{Queue, StoreError};

/// A request that was just stored is written down this often at most, a second
/// after each failure.
const ATTEMPTS: u32 = 60;
const RETRY: Duration = Duration::from_secs(1);

/// A request with a verified signature.
#[derive(Debug, Clone)]
pub(crate) struct Signed {
    channel: ChannelId,
    sha256: String,
    remembered: Duration,
}

impl Signed {
    /// The request of which the alert was made, unless its signature was not verified.
    pub(crate) fn of(alert: &Alert, body: &[u8]) -> Option<Self> {
        let signed = matches!(alert.trust, Trust::Signature(_));
        // What is done to an issue may rightly be done again.
        let remembered = if alert.kind.starts_with("issue.") { DUPLICATE_WINDOW } else { SEEN_FOR };
        signed.then(|| Self { channel: alert.channel, sha256: hex::encode(Sha256::digest(body)), remembered })
    }

    /// Its `Nats-Msg-Id`.
    pub(crate) fn message_id(&self) -> String {
        format!("{}-{}", self.channel, self.sha256)
    }

    fn subject(&self) -> String {
        wire::seen_subject(self.channel, &self.sha256)
    }
}

impl Queue {
    /// Whether the request was stored before.
    ///
    /// # Errors
    /// When NATS does not say so before `deadline`, or soon after it where NATS is
    /// only slow: then it cannot store either.
    pub(crate) async fn has_seen(&self, request: &Signed, deadline: Instant) -> Result<bool, StoreError> {
        self.pulse
            .within(deadline.into(), self.look_up(request))
            .await
            .unwrap_or_else(|| Err(StoreError::Unavailable("no word in time of earlier requests".to_owned())))
    }

    async fn look_up(&self, request: &Signed) -> Result<bool, StoreError> {
        let unavailable = |error: String| StoreError::Unavailable(format!("earlier requests: {error}"));
        let bucket = self.publisher.get_stream_no_info(wire::SEEN_STREAM).await;
        let bucket = bucket.map_err(|error| unavailable(error.to_string()))?;
        let look = || bucket.direct_get_last_for_subject(request.subject());
        let mut found = look().await;
        if let Err(error) = &found
            && matches!(error.kind(), DirectGetErrorKind::ErrorResponse(StatusCode::NO_RESPONDERS, _))
        {
            self.streams.apply().await.map_err(|error| unavailable(format!("{error:#}")))?;
            found = look().await;
        }
        match found {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == DirectGetErrorKind::NotFound => Ok(false),
            Err(error) => Err(unavailable(error.to_string())),
        }
    }

    /// Remembers that the request was stored; before `deadline` if it can be,
    /// and else a little later: until then its `Nats-Msg-Id` stands for it.
    pub(crate) async fn remember(&self, request: Signed, deadline: Instant) {
        let publisher = self.publisher.clone();
        let written = tokio::spawn(async move {
            let note = PublishMessage::build().ttl(request.remembered);
            for _ in 0..ATTEMPTS {
                match publish(&publisher, request.subject(), note.clone()).await {
                    Ok(()) => return,
                    Err(error) => tracing::debug!(%error, "cannot remember a signed request yet"),
                }
                sleep(RETRY).await;
            }
            tracing::warn!(channel = %request.channel, "cannot remember that a signed request was stored");
        });
        let _ = timeout_at(deadline.into(), written).await;
    }
}

async fn publish(context: &Context, subject: String, note: PublishMessage) -> Result<(), PublishError> {
    context.send_publish(subject, note).await?.await.map(drop)
}
