//! Which requests came before. What is signed is the body alone, so a captured
//! request can be sent again with any headers: its body is what gives it away.
//!
//! - A signed request is stored once: its body is remembered for a week.
//! - A body that describes a [`State`], signed or not, is a repeat while it is the
//!   last one taken about that state, for ten minutes: a state may come back.
//! - Of all others JetStream recognises the `Nats-Msg-Id` for ten minutes.
//!
//! The alert is stored first and the note is written then. A crash between the
//! two loses nothing: the retry finds the state's note as it was, makes the same
//! `Nats-Msg-Id` of it, and is not stored twice.

use std::time::{Duration, Instant};

use actix_web::http::header::HeaderMap;
use async_nats::jetstream::{
    Context, ErrorCode,
    context::{PublishError, PublishErrorKind},
    message::{PublishMessage, StreamMessage},
    stream::{DirectGetErrorKind, LastRawMessageError, LastRawMessageErrorKind},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use shared::{
    Alert, ChannelId,
    alert::Trust,
    bus::{DUPLICATE_WINDOW, SEEN_FOR},
    wire,
};
use tokio::time::{sleep, timeout_at};

use super::{Queue, StoreError, Stored};
use crate::{message_id::message_id, payload::State};

/// A request that was just stored is written down this often at most, a second
/// after each failure.
const ATTEMPTS: u32 = 60;
const RETRY: Duration = Duration::from_secs(1);
/// The right to read notes.
const READ: &str = "$JS.API.STREAM.MSG.GET.KV_seen";
/// How long the last body of a state is kept. Longer than it counts, so that the
/// note's revision is never the same for two firings that JetStream could confuse.
const STATE_FOR: Duration = DUPLICATE_WINDOW.saturating_mul(2);

/// What tells a request from others.
#[derive(Debug, Clone)]
pub(crate) struct Firing {
    channel: ChannelId,
    /// Of the body; or of the content and the sender's keys, where neither a
    /// signature nor a state is known.
    id: String,
    noted: Noted,
}

/// What stands in the bucket [`wire::SEEN`] about it.
#[derive(Debug, Clone)]
enum Noted {
    Nothing,
    Signed,
    State(State),
}

/// Where a request has its place among those before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// Its `Nats-Msg-Id`.
    pub(crate) message_id: String,
    /// The revision of the state's note that it follows.
    revision: u64,
}

/// The note about a state.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Note {
    /// Of the last body that was taken.
    sha256: String,
    /// Where its alert was stored: the later one is the last.
    stored: u64,
}

impl Firing {
    /// The request of which the alert was made.
    pub(crate) fn of(alert: &Alert, state: Option<State>, headers: &HeaderMap, body: &[u8]) -> Self {
        let signed = matches!(alert.trust, Trust::Signature(_));
        let (id, noted) = match state {
            Some(state) => (digest(alert, signed, body), Noted::State(state)),
            None if signed => (digest(alert, signed, body), Noted::Signed),
            None => (message_id(alert.channel, alert.mention, headers, body), Noted::Nothing),
        };
        Self { channel: alert.channel, id, noted }
    }

    /// Whether a repeat is told as one.
    pub(crate) const fn is_noted(&self) -> bool {
        !matches!(self.noted, Noted::Nothing)
    }

    fn subject(&self) -> Option<String> {
        match &self.noted {
            Noted::Nothing => None,
            Noted::Signed => Some(wire::seen_subject(self.channel, &self.id)),
            Noted::State(state) => Some(wire::state_subject(self.channel, state.kind, &state.id)),
        }
    }

    /// Its place after what the bucket holds about it; `None` where it is a repeat.
    fn place(&self, found: Option<&StreamMessage>, now_ms: i64) -> Option<Place> {
        let (channel, id) = (self.channel, &self.id);
        let revision = found.map_or(0, |message| message.sequence);
        match (&self.noted, found) {
            (Noted::Nothing, _) => Some(Place { message_id: id.clone(), revision: 0 }),
            (Noted::Signed, Some(_)) => None,
            (Noted::Signed, None) => Some(Place { message_id: format!("{channel}-{id}"), revision: 0 }),
            (Noted::State(_), Some(message)) if is_last(message, id, now_ms) => None,
            (Noted::State(_), _) => {
                Some(Place { message_id: format!("{channel}-{id}-{revision}"), revision })
            }
        }
    }
}

/// Of the body; with the mention where a URL may name one in its own right.
fn digest(alert: &Alert, signed: bool, body: &[u8]) -> String {
    let mut content = Sha256::new_with_prefix(body);
    if let (Some(user), false) = (alert.mention, signed) {
        // A NUL stands in no JSON text, so the two parts cannot blend.
        content.update(format!("\0{user}"));
    }
    hex::encode(content.finalize())
}

/// Whether the note says that this body was the last one, within ten minutes.
fn is_last(message: &StreamMessage, sha256: &str, now_ms: i64) -> bool {
    let noted_ms = message.time.unix_timestamp_nanos() / 1_000_000;
    let recent = i128::from(now_ms) - noted_ms < DUPLICATE_WINDOW.as_millis() as i128;
    recent && note(message).is_some_and(|note| note.sha256 == sha256)
}

fn note(message: &StreamMessage) -> Option<Note> {
    serde_json::from_slice(&message.payload).ok()
}

impl Queue {
    /// The request's place; `None` where it came before.
    ///
    /// # Errors
    /// When NATS does not say so before `deadline`, or soon after it where NATS is
    /// only slow: then it cannot store either.
    pub(crate) async fn look_up(
        &self,
        firing: &Firing,
        deadline: Instant,
    ) -> Result<Option<Place>, StoreError> {
        let now_ms = chrono::Utc::now().timestamp_millis();
        let Some(subject) = firing.subject() else {
            return Ok(firing.place(None, now_ms));
        };
        let found =
            self.pulse.within(deadline.into(), self.look(firing, &subject)).await.unwrap_or_else(|| {
                Err(StoreError::Unavailable("no word in time of earlier requests".to_owned()))
            })?;
        Ok(firing.place(found.as_ref(), now_ms))
    }

    /// The note, where it may be read.
    async fn look(&self, firing: &Firing, subject: &str) -> Result<Option<StreamMessage>, StoreError> {
        tokio::select! {
            biased;
            () = self.lacks.refuses(READ) => {}
            found = self.look_at_leader(subject) => return found,
        }
        // An `accounts.conf` of before lets the notes about signed requests be read
        // directly, and those about states not at all: `Nats-Msg-Id` stands for them.
        match firing.noted {
            Noted::Signed => self.look_at_any(subject).await,
            _ => Ok(None),
        }
    }

    async fn look_at_any(&self, subject: &str) -> Result<Option<StreamMessage>, StoreError> {
        let unavailable = |error: String| StoreError::Unavailable(format!("earlier requests: {error}"));
        let bucket = self.publisher.get_stream_no_info(wire::SEEN_STREAM).await;
        let bucket = bucket.map_err(|error| unavailable(error.to_string()))?;
        match bucket.direct_get_last_for_subject(subject).await {
            Ok(message) => Ok(Some(message)),
            Err(error) if error.kind() == DirectGetErrorKind::NotFound => Ok(None),
            Err(error) => Err(unavailable(error.to_string())),
        }
    }

    async fn look_at_leader(&self, subject: &str) -> Result<Option<StreamMessage>, StoreError> {
        let unavailable = |error: String| StoreError::Unavailable(format!("earlier requests: {error}"));
        let mut found = last(&self.publisher, subject).await;
        if found.as_ref().is_err_and(is_missing) {
            self.streams.apply().await.map_err(|error| unavailable(format!("{error:#}")))?;
            found = last(&self.publisher, subject).await;
        }
        found.map_err(|error| unavailable(error.to_string()))
    }

    /// Remembers that the request was stored; before `deadline` if it can be,
    /// and else a little later: until then its `Nats-Msg-Id` stands for it.
    pub(crate) async fn remember(&self, firing: Firing, place: Place, stored: Stored, deadline: Instant) {
        let Some(subject) = firing.subject() else { return };
        let is_refused = self.notes_are_refused(&firing);
        let publisher = self.publisher.clone();
        let channel = firing.channel;
        let write = async move {
            match firing.noted {
                Noted::State(_) => {
                    let note = Note { sha256: firing.id, stored: stored.sequence };
                    remember_state(&publisher, &subject, &note, place.revision).await
                }
                _ => remember_body(&publisher, &subject).await,
            }
        };
        let written = tokio::spawn(async move {
            let written = tokio::select! {
                biased;
                () = is_refused => return,
                written = write => written,
            };
            if !written {
                tracing::warn!(%channel, "cannot remember that a request was stored");
            }
        });
        let _ = timeout_at(deadline.into(), written).await;
    }

    /// Returns when NATS refuses to let a note about this be written: an
    /// `accounts.conf` of before has none about states.
    fn notes_are_refused(&self, firing: &Firing) -> impl Future<Output = ()> + Send + use<> {
        let state = matches!(firing.noted, Noted::State(_)).then(|| firing.subject()).flatten();
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

/// Puts the note in the place of the one that it follows, unless a later alert's
/// is there already.
async fn remember_state(publisher: &Context, subject: &str, note: &Note, mut revision: u64) -> bool {
    let Ok(text) = serde_json::to_vec(note) else { return false };
    for _ in 0..ATTEMPTS {
        let message = PublishMessage::build().ttl(STATE_FOR).payload(text.clone().into());
        let message = message.expected_last_subject_sequence(revision);
        let error = match publish(publisher, subject, message).await {
            Ok(()) => return true,
            Err(error) => error,
        };
        if came_second(&error)
            && let Ok(found) = last(publisher, subject).await
        {
            if found.as_ref().and_then(self::note).is_some_and(|other| other.stored >= note.stored) {
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

/// What stands there, as the leader has it.
async fn last(publisher: &Context, subject: &str) -> Result<Option<StreamMessage>, LastRawMessageError> {
    let bucket = publisher.get_stream_no_info(wire::SEEN_STREAM).await;
    let bucket =
        bucket.map_err(|error| LastRawMessageError::with_source(LastRawMessageErrorKind::Other, error))?;
    match bucket.get_last_raw_message_by_subject(subject).await {
        Ok(message) => Ok(Some(message)),
        Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn is_missing(error: &LastRawMessageError) -> bool {
    let missing = ErrorCode::STREAM_NOT_FOUND;
    matches!(error.kind(), LastRawMessageErrorKind::JetStream(answer) if answer.error_code() == missing)
}

/// Whether another note was written first. A cluster has a word of its own for it
/// while the other one is on its way to the replicas.
fn came_second(error: &PublishError) -> bool {
    let on_its_way = std::error::Error::source(error)
        .and_then(|source| source.downcast_ref::<async_nats::jetstream::Error>())
        .is_some_and(|answer| answer.error_code() == ErrorCode::STREAM_WRONG_LAST_SEQUENCE_CONSTANT);
    error.kind() == PublishErrorKind::WrongLastSequence || on_its_way
}

async fn publish(context: &Context, subject: &str, note: PublishMessage) -> Result<(), PublishError> {
    context.send_publish(subject.to_owned(), note).await?.await.map(drop)
}

#[cfg(test)]
mod tests {
    use async_nats::{HeaderMap as Headers, datetime::DateTime};

    use super::*;

    fn firing(noted: Noted) -> Firing {
        Firing { channel: ChannelId::new(42), id: "a1".to_owned(), noted }
    }

    /// A note that was written at the beginning of 1970.
    fn noted(payload: &'static str) -> StreamMessage {
        StreamMessage {
            subject: "seen".into(),
            sequence: 9,
            headers: Headers::new(),
            payload: payload.into(),
            time: DateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_state_is_a_repeat_for_ten_minutes_and_a_signed_body_for_as_long_as_its_note() {
        let state = firing(Noted::State(State { kind: "issue", id: "61".to_owned() }));
        let same = noted(r#"{"sha256":"a1","stored":3}"#);
        let id = |found: Option<&StreamMessage>, firing: &Firing, now_ms| {
            firing.place(found, now_ms).map(|place| (place.message_id, place.revision))
        };
        assert_eq!(id(Some(&same), &state, 599_999), None);
        let (followed, first) = (Some(("42-a1-9".to_owned(), 9)), Some(("42-a1-0".to_owned(), 0)));
        assert_eq!(id(Some(&same), &state, 600_000), followed);
        for other in [r#"{"sha256":"b2","stored":3}"#, "", "garbage"] {
            assert_eq!(id(Some(&noted(other)), &state, 1), followed, "{other}");
        }
        assert_eq!(id(None, &state, 1), first);

        let signed = firing(Noted::Signed);
        assert_eq!(id(Some(&noted("")), &signed, i64::MAX), None);
        assert_eq!(id(None, &signed, 1), Some(("42-a1".to_owned(), 0)));
        assert_eq!(id(None, &firing(Noted::Nothing), 1), Some(("a1".to_owned(), 0)));
    }
}
