//! Notes about earlier requests, in the bucket [`wire::SEEN`].

use std::time::{Duration, Instant};

use async_nats::jetstream::{
    Context,
    context::PublishError,
    message::{PublishMessage, StreamMessage},
    stream::DirectGetErrorKind,
};
use shared::{
    bus::retention::{SEEN_FOR, STATE_FOR},
    kv, wire,
};
use tokio::time::{sleep, timeout_at};
use tracing::Instrument as _;

use super::{
    AlertQueue, PublishReceipt, QueueError,
    repeats::{NewRequest, NoteKind, RequestIdentity, StateNote},
};

/// How often to try to note a stored request, a second after each failure.
const ATTEMPTS: u32 = 60;
const RETRY: Duration = Duration::from_secs(1);
/// The right to read notes.
const READ: &str = "$JS.API.STREAM.MSG.GET.KV_seen";

impl AlertQueue {
    /// Returns the request, unless it is a repeat.
    ///
    /// # Errors
    /// When NATS does not answer before `deadline`, or soon after it if NATS is
    /// only slow. Such a NATS cannot store either.
    pub(crate) async fn look_up(
        &self,
        identity: &RequestIdentity,
        deadline: Instant,
    ) -> Result<Option<NewRequest>, QueueError> {
        let now_ms = chrono::Utc::now().timestamp_millis();
        let Some(subject) = identity.subject() else {
            return Ok(identity.unless_repeat(None, now_ms));
        };
        let found =
            self.progress.within(deadline.into(), self.look(identity, &subject)).await.unwrap_or_else(
                || Err(QueueError::Unavailable("cannot look up earlier requests in time".to_owned())),
            )?;
        Ok(identity.unless_repeat(found.as_ref(), now_ms))
    }

    /// Reads the note, if NATS allows it.
    async fn look(
        &self,
        identity: &RequestIdentity,
        subject: &str,
    ) -> Result<Option<StreamMessage>, QueueError> {
        tokio::select! {
            biased;
            () = self.lacks.refuses(READ) => {}
            found = self.look_at_leader(subject) => return found,
        }
        // An older `accounts.conf` allows direct reads of notes about signed
        // requests, but not about states. There only `Nats-Msg-Id` finds
        // repeats.
        match identity.noted {
            NoteKind::Signed => self.look_at_any(subject).await,
            _ => Ok(None),
        }
    }

    async fn look_at_any(&self, subject: &str) -> Result<Option<StreamMessage>, QueueError> {
        let unavailable = |error: String| QueueError::Unavailable(format!("earlier requests: {error}"));
        let bucket = self.publisher.get_stream_no_info(wire::bucket_stream(wire::SEEN)).await;
        let bucket = bucket.map_err(|error| unavailable(error.to_string()))?;
        match bucket.direct_get_last_for_subject(subject).await {
            Ok(message) => Ok(Some(message)),
            Err(error) if error.kind() == DirectGetErrorKind::NotFound => Ok(None),
            Err(error) => Err(unavailable(error.to_string())),
        }
    }

    async fn look_at_leader(&self, subject: &str) -> Result<Option<StreamMessage>, QueueError> {
        let unavailable = |error: String| QueueError::Unavailable(format!("earlier requests: {error}"));
        let mut found = kv::last_at_leader(&self.publisher, wire::SEEN, subject).await;
        if found.as_ref().is_err_and(kv::is_missing) {
            self.streams.apply().await.map_err(|error| unavailable(format!("{error:#}")))?;
            found = kv::last_at_leader(&self.publisher, wire::SEEN, subject).await;
        }
        found.map_err(|error| unavailable(error.to_string()))
    }

    /// Notes that the request was stored, before `deadline` if possible, else a
    /// little later. Until then its `Nats-Msg-Id` finds a repeat.
    pub(crate) async fn remember(
        &self,
        identity: RequestIdentity,
        request: NewRequest,
        receipt: PublishReceipt,
        deadline: Instant,
    ) {
        let Some(subject) = identity.subject() else { return };
        let is_refused = self.notes_are_refused(&identity);
        let publisher = self.publisher.clone();
        let write = async move {
            match identity.noted {
                NoteKind::State(_) => {
                    let note = StateNote { sha256: identity.id, stored: receipt.sequence };
                    remember_state(&publisher, &subject, &note, request.revision).await
                }
                _ => remember_body(&publisher, &subject).await,
            }
        };
        let written = async move {
            let written = tokio::select! {
                biased;
                () = is_refused => return,
                written = write => written,
            };
            if !written {
                tracing::warn!("cannot remember that a request was stored");
            }
        };
        let written = tokio::spawn(written.in_current_span());
        let _ = timeout_at(deadline.into(), written).await;
    }

    /// Returns when NATS refuses to write this note. An older `accounts.conf`
    /// allows none about states.
    fn notes_are_refused(&self, identity: &RequestIdentity) -> impl Future<Output = ()> + Send + use<> {
        let state = matches!(identity.noted, NoteKind::State(_)).then(|| identity.subject()).flatten();
        let lacks = self.lacks.clone();
        async move {
            match state {
                Some(subject) => lacks.refuses(&subject).await,
                None => std::future::pending().await,
            }
        }
    }
}

async fn remember_body(publisher: &Context, subject: &str) -> bool {
    for _ in 0..ATTEMPTS {
        match publish(publisher, subject, PublishMessage::build().ttl(SEEN_FOR)).await {
            Ok(()) => return true,
            Err(error) => tracing::debug!(%error, "cannot remember a signed request yet"),
        }
        sleep(RETRY).await;
    }
    false
}

/// Replaces the note that this one follows, unless a later alert has replaced
/// it already.
async fn remember_state(publisher: &Context, subject: &str, note: &StateNote, mut revision: u64) -> bool {
    let Ok(text) = serde_json::to_vec(note) else { return false };
    for _ in 0..ATTEMPTS {
        let message = PublishMessage::build().ttl(STATE_FOR).payload(text.clone().into());
        let message = message.expected_last_subject_sequence(revision);
        let error = match publish(publisher, subject, message).await {
            Ok(()) => return true,
            Err(error) => error,
        };
        if kv::came_second(&error)
            && let Ok(found) = kv::last_at_leader(publisher, wire::SEEN, subject).await
        {
            if found.as_ref().and_then(super::repeats::note).is_some_and(|other| other.stored >= note.stored)
            {
                return true;
            }
            let there = found.map_or(0, |message| message.sequence);
            if there != revision {
                revision = there;
                continue;
            }
        }
        tracing::debug!(%error, "cannot remember a state yet");
        sleep(RETRY).await;
    }
    false
}

async fn publish(context: &Context, subject: &str, note: PublishMessage) -> Result<(), PublishError> {
    context.send_publish(subject.to_owned(), note).await?.await.map(drop)
}
