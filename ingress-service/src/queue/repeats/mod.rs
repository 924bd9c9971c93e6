//! Which requests came before. What is signed is the body alone, so a captured
//! request can be sent again with any headers: its body is what gives it away.
//!
//! - A signed request is stored once: its body is remembered for a week.
//! - A body that describes a [`StateSubject`], signed or not, is a repeat while it is the
//!   last one taken about that state, for ten minutes: a state may come back.
//! - Of all others JetStream recognises the `Nats-Msg-Id` for ten minutes.
//!
//! The alert is stored first and the note is written then. A crash between the
//! two loses nothing: the retry finds the state's note as it was, makes the same
//! `Nats-Msg-Id` of it, and is not stored twice. `repeat_notes.rs` reads and
//! writes the notes.

#[cfg(test)]
mod tests;

use actix_web::http::header::HeaderMap;
use async_nats::jetstream::message::StreamMessage;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use shared::{Alert, ChannelId, alert::Trust, bus::retention::DUPLICATE_WINDOW, wire};

use super::message_id::message_id;
use crate::payload::StateSubject;

/// What tells a request from others.
#[derive(Debug, Clone)]
pub(crate) struct RequestIdentity {
    pub(super) channel: ChannelId,
    /// Of the body; or of the content and the sender's keys, where neither a
    /// signature nor a state is known.
    pub(super) id: String,
    pub(super) noted: NoteKind,
}

/// Which note the bucket [`wire::SEEN`] keeps about it.
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
    /// The revision of the state's note that it follows.
    pub(super) revision: u64,
}

/// The note about a state.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct StateNote {
    /// Of the last body that was taken.
    pub(super) sha256: String,
    /// Where its alert was stored: the later one is the last.
    pub(super) stored: u64,
}

impl RequestIdentity {
    /// The request that this alert came with.
    pub(crate) fn of(alert: &Alert, state: Option<StateSubject>, headers: &HeaderMap, body: &[u8]) -> Self {
        let signed = matches!(alert.trust, Trust::Signature(_));
        let (id, noted) = match state {
            Some(state) => (digest(alert, signed, body), NoteKind::State(state)),
            None if signed => (digest(alert, signed, body), NoteKind::Signed),
            None => (message_id(alert.channel, alert.mention, headers, body), NoteKind::Nothing),
        };
        Self { channel: alert.channel, id, noted }
    }

    /// Whether a repeat is answered as one.
    pub(crate) const fn is_noted(&self) -> bool {
        !matches!(self.noted, NoteKind::Nothing)
    }

    /// The subject of the note about it.
    pub(super) fn subject(&self) -> Option<String> {
        match &self.noted {
            NoteKind::Nothing => None,
            NoteKind::Signed => Some(wire::seen_subject(self.channel, &self.id)),
            NoteKind::State(state) => Some(wire::state_subject(self.channel, state.kind, &state.id)),
        }
    }

    /// The request, given what the bucket holds about it; `None` where it is a repeat.
    pub(super) fn unless_repeat(&self, found: Option<&StreamMessage>, now_ms: i64) -> Option<NewRequest> {
        let (channel, id) = (self.channel, &self.id);
        let revision = found.map_or(0, |message| message.sequence);
        match (&self.noted, found) {
            (NoteKind::Nothing, _) => Some(NewRequest { message_id: id.clone(), revision: 0 }),
            (NoteKind::Signed, Some(_)) => None,
            (NoteKind::Signed, None) => {
                Some(NewRequest { message_id: format!("{channel}-{id}"), revision: 0 })
            }
            (NoteKind::State(_), Some(message)) if is_last(message, id, now_ms) => None,
            (NoteKind::State(_), _) => {
                Some(NewRequest { message_id: format!("{channel}-{id}-{revision}"), revision })
            }
        }
    }
}

/// Of the body; with the mention where a URL may name one in its own right.
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
