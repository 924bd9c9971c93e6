//! Stores each alert once in JetStream, and keeps the streams in place.

mod message_id;
mod progress_timeout;
mod repeat_notes;
mod repeats;

use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use async_nats::{
    Client, HeaderMap,
    connection::State,
    jetstream::{
        self, ErrorCode,
        context::{ContextBuilder, PublishError, PublishErrorKind},
        message::PublishMessage,
    },
};
use shared::{
    Alert, ChannelId,
    admin::Readiness,
    bus::{MissingRights, Role, Streams},
    settings::NatsSettings,
    wire,
};
use tokio::time::{sleep, timeout_at};

use self::progress_timeout::ProgressTimeout;
pub(crate) use self::repeats::{NewRequest, RequestIdentity};
use crate::deadlines::{ACK_WITHIN, POLL_CONNECTION_EVERY};

/// The readiness check that fails while alerts cannot be stored.
const CHECK: &str = "queue";
/// How long a refusal counts for readiness. Only the next alert shows that it
/// is over.
const REFUSED_FOR: Duration = Duration::from_secs(10);
/// The most publishes that wait for an acknowledgement at once. More are
/// refused. A healthy NATS acknowledges in a millisecond.
const MAX_INFLIGHT: usize = 2_048;

/// Where alerts are stored.
#[derive(Debug)]
pub(crate) struct AlertQueue {
    nats: Client,
    publisher: jetstream::Context,
    streams: Streams,
    lacks: MissingRights,
    readiness: Readiness,
    progress: ProgressTimeout,
}

/// JetStream's confirmation of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PublishReceipt {
    /// Its number in the stream.
    pub(crate) sequence: u64,
    /// An alert with the same id was stored within the last ten minutes, so
    /// this one was not.
    pub(crate) duplicate: bool,
}

/// Why an alert was not stored. After a timeout it may still be stored later.
#[derive(Debug, thiserror::Error)]
pub(crate) enum QueueError {
    /// The channel has as many waiting as it may.
    #[error("the channel's backlog is full")]
    BacklogFull,
    /// NATS is away, slow or full.
    #[error("queue: {0}")]
    Unavailable(String),
    /// NATS refused the alert for another reason.
    #[error("queue: {0}")]
    Unexpected(String),
}

impl AlertQueue {
    pub(crate) fn new(
        (nats, lacks): (Client, MissingRights),
        settings: NatsSettings,
        readiness: Readiness,
    ) -> Self {
        let publisher = ContextBuilder::new()
            .max_ack_inflight(MAX_INFLIGHT)
            .backpressure_on_inflight(false)
            .timeout(ACK_WITHIN)
            .ack_timeout(ACK_WITHIN)
            .build(nats.clone());
        let connection = (nats.clone(), lacks.clone());
        let streams = Streams::new(connection, settings, Role::Ingress, readiness.clone());
        Self { nats, publisher, streams, lacks, readiness, progress: ProgressTimeout::default() }
    }

    /// Whether there is a connection at all.
    pub(crate) fn connected(&self) -> bool {
        self.nats.connection_state() == State::Connected
    }

    /// The number of the connection; `None` while there is none.
    pub(crate) fn connection(&self) -> Option<u64> {
        let number = self.nats.statistics().connects.load(Ordering::Relaxed);
        self.connected().then_some(number)
    }

    /// Whether this connection is still the current one.
    pub(crate) fn is_on(&self, connection: u64) -> bool {
        self.connection() == Some(connection)
    }

    /// Returns when this connection is lost or replaced.
    pub(crate) async fn lost(&self, connection: u64) {
        while self.is_on(connection) {
            sleep(POLL_CONNECTION_EVERY).await;
        }
    }

    pub(crate) const fn nats(&self) -> &Client {
        &self.nats
    }

    /// The streams that this service keeps in place.
    pub(crate) const fn streams(&self) -> &Streams {
        &self.streams
    }

    /// Whether NATS says before `deadline` that discord-service once found this
    /// channel authorized.
    pub(crate) async fn knows(&self, channel: ChannelId, deadline: Instant) -> bool {
        let ask = async {
            let known = self.publisher.get_key_value(wire::CHANNELS).await.ok()?;
            let key = channel.to_string();
            // Any replica may answer, even while the bucket has no leader. But
            // a replica that lags may miss the channel, and its alert would be
            // refused.
            if let Ok(Some(guild)) = known.get(&key).await {
                return Some(guild);
            }
            let subject = format!("{}{key}", known.prefix);
            Some(known.stream.get_last_raw_message_by_subject(&subject).await.ok()?.payload)
        };
        timeout_at(deadline.into(), ask).await.is_ok_and(|guild| guild.is_some())
    }

    /// Stores the alert and waits until JetStream has confirmed it. An alert
    /// with an id of the last ten minutes is confirmed but not stored again.
    ///
    /// # Errors
    /// [`QueueError`], at the latest at `deadline`, or soon after it if NATS is
    /// only slow.
    pub(crate) async fn store(
        &self,
        alert: &Alert,
        id: &str,
        deadline: Instant,
    ) -> Result<PublishReceipt, QueueError> {
        let started = Instant::now();
        let stored = self
            .progress
            .within(deadline.into(), self.publish(alert, id))
            .await
            .unwrap_or_else(|| Err(QueueError::Unavailable("no acknowledgement in time".to_owned())));
        metrics::histogram!("sentry_bot_ingress_store_seconds").record(started.elapsed().as_secs_f64());
        match &stored {
            Ok(_) => self.readiness.forget(CHECK),
            Err(QueueError::BacklogFull) => {}
            Err(error) => self.readiness.set_for(REFUSED_FOR, CHECK, false, error.to_string()),
        }
        stored
    }

    async fn publish(&self, alert: &Alert, id: &str) -> Result<PublishReceipt, QueueError> {
        let subject = wire::alert_subject(alert.channel);
        let mut headers = HeaderMap::new();
        if let Some(trace) = &alert.trace {
            trace.write(&mut headers);
        }
        let message = PublishMessage::build().headers(headers).message_id(id).payload(alert.encode().into());
        match self.publish_once(subject.clone(), message.clone()).await {
            Err(error) if error.kind() == PublishErrorKind::StreamNotFound => {
                self.streams.apply().await.map_err(|error| QueueError::Unavailable(format!("{error:#}")))?;
                self.publish_once(subject, message).await.map_err(|error| explain(&error))
            }
            stored => stored.map_err(|error| explain(&error)),
        }
    }

    async fn publish_once(
        &self,
        subject: String,
        message: PublishMessage,
    ) -> Result<PublishReceipt, PublishError> {
        let acknowledgement = self.publisher.send_publish(subject, message).await?.await?;
        self.progress.beat();
        // Another stream has taken the subjects.
        if acknowledgement.stream != wire::ALERTS {
            return Err(PublishError::new(PublishErrorKind::StreamNotFound));
        }
        let sequence = acknowledgement.sequence;
        if acknowledgement.duplicate {
            metrics::counter!("sentry_bot_ingress_duplicates_total").increment(1);
            return Ok(PublishReceipt { sequence, duplicate: true });
        }
        // From here to the post the sequence is the alert's id.
        tracing::info!(alert.id = sequence, "stored an alert");
        Ok(PublishReceipt { sequence, duplicate: false })
    }
}

/// What JetStream's refusal means. A full subject and a full stream have the
/// same error code. Only the text differs.
fn explain(error: &PublishError) -> QueueError {
    let refusal =
        std::error::Error::source(error).and_then(|source| source.downcast_ref::<jetstream::Error>());
    match (error.kind(), refusal) {
        (PublishErrorKind::Other, Some(refusal)) => {
            let text = refusal.to_string();
            if refusal.error_code() == ErrorCode::STREAM_STORE_FAILED && text.contains("per subject") {
                QueueError::BacklogFull
            } else {
                QueueError::Unavailable(text)
            }
        }
        (
            PublishErrorKind::WrongLastMessageId
            | PublishErrorKind::WrongLastSequence
            | PublishErrorKind::MaxPayloadExceeded,
            _,
        ) => QueueError::Unexpected(error.to_string()),
        _ => QueueError::Unavailable(error.to_string()),
    }
}
