//! Which requests came before. A signature covers the body alone, so a captured
//! request can be sent again with other headers. Only its body identifies it.
//!
//! - A signed request is stored once. Its body is remembered for a week.
//! - A body that describes a [`StateSubject`], signed or not, is a repeat for
//!   ten minutes, while it is the last one about that state. A state may come
//!   back.
//! - JetStream recognises all others by the `Nats-Msg-Id` for ten minutes.
//!
//! A body of GlitchTip may hold several alerts. Each has an identity of its own.
//! If some of them could not be stored, a repeat of the request stores only those.
//!
//! The alert is stored first, then the note is written. A crash between the two
//! loses nothing: the retry finds the old note, gets the same `Nats-Msg-Id`,
//! and is not stored twice. `repeat_notes.rs` reads and writes the notes.

#[cfg(test)]
mod tests;

use actix_web::http::header::HeaderMap;
use async_nats::jetstream::message::StreamMessage;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use shared::{Alert, ChannelId, alert::Trust, bus::retention::DUPLICATE_WINDOW, wire};

use super::message_id::message_id;
use crate::payload::StateSubject;

/// What identifies a request.
#[derive(Debug, Clone)]
pub(crate) struct RequestIdentity {
    pub(super) channel: ChannelId,
    /// A hash of the body. Without a signature and a state: of the content and
    /// the sender's keys.
    pub(super) id: String,
    pub(super) noted: NoteKind,
    /// The alert's number in its body, from 1, where that holds several.
    pub(super) part: Option<usize>,
}

/// Which kind of note the bucket [`wire::SEEN`] keeps about a request.
#[derive(Debug, Clone)]
pub(super) enum NoteKind {
    Nothing,
    Signed,
    State(StateSubject),
}

/// A request that is no repeat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewRequest {
    /// Its `Nats-Msg-Id`.
    pub(crate) message_id: String,
    /// The revision of the state's note before it.
    pub(super) revision: u64,
}

/// The note about a state.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct StateNote {
    /// The hash of the last body about this state.
    pub(super) sha256: String,
    /// The sequence of its alert, which shows which of two notes is the later
    /// one.
    pub(super) stored: u64,
}

impl RequestIdentity {
    /// Each of the alerts that came in one body.
    pub(crate) fn of_each(
        alerts: &[Alert],
        states: Vec<Option<StateSubject>>,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Vec<Self> {
        let several = alerts.len() > 1;
        // What is long is hashed once.
        let mut hashed = None;
        let mut keyed = None;
        let numbered = alerts.iter().zip(states).enumerate();
        let identity = numbered.map(|(index, (alert, state))| {
            let signed = matches!(alert.trust, Trust::Signature(_));
            let noted = match state {
                Some(state) => NoteKind::State(state),
                None if signed => NoteKind::Signed,
                None => NoteKind::Nothing,
            };
            let id = match noted {
                NoteKind::Nothing => {
                    keyed.get_or_insert_with(|| message_id(alert.channel, alert.mention, headers, body))
                }
                _ => hashed.get_or_insert_with(|| digest(alert, signed, body)),
            };
            Self { channel: alert.channel, id: id.clone(), noted, part: several.then_some(index + 1) }
        });
        identity.collect()
    }

    /// Whether a note is kept, so that a repeat gets an answer of its own.
    pub(crate) const fn is_noted(&self) -> bool {
        !matches!(self.noted, NoteKind::Nothing)
    }

    /// The subject of its note.
    pub(super) fn subject(&self) -> Option<String> {
        match &self.noted {
            NoteKind::Nothing => None,
            NoteKind::Signed => Some(wire::seen_subject(self.channel, &self.numbered(&self.id))),
            NoteKind::State(state) => Some(wire::state_subject(self.channel, state.kind, &state.id)),
        }
    }

    /// Judges the request by the note in the bucket. `None` if it is a repeat.
    pub(super) fn unless_repeat(&self, found: Option<&StreamMessage>, now_ms: i64) -> Option<NewRequest> {
        let (channel, id) = (self.channel, &self.id);
        let revision = found.map_or(0, |message| message.sequence);
        match (&self.noted, found) {
            (NoteKind::Nothing, _) => Some(NewRequest { message_id: self.numbered(id), revision: 0 }),
            (NoteKind::Signed, Some(_)) => None,
            (NoteKind::Signed, None) => {
                Some(NewRequest { message_id: self.numbered(&format!("{channel}-{id}")), revision: 0 })
            }
            (NoteKind::State(_), Some(message)) if is_last(message, id, now_ms) => None,
            (NoteKind::State(_), _) => {
                let message_id = self.numbered(&format!("{channel}-{id}-{revision}"));
                Some(NewRequest { message_id, revision })
            }
        }
    }

    /// `id`, and which of the body's alerts it is.
    fn numbered(&self, id: &str) -> String {
        self.part.map_or_else(|| id.to_owned(), |part| format!("{id}.{part}"))
    }
}

/// A hash of the body, and of the mention where the URL may add one.
fn digest(alert: &Alert, signed: bool, body: &[u8]) -> String {
    let mut content = Sha256::new_with_prefix(body);
    if let (Some(user), false) = (alert.mention, signed) {
        // No JSON text holds a NUL, so the two parts cannot blend.
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

pub(super) fn note(message: &StreamMessage) -> Option<StateNote> {
    serde_json::from_slice(&message.payload).ok()
}
