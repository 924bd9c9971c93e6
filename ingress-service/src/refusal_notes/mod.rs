//! Notes about refused requests, for the channel's admins to read in `status`.
//! No answer waits for them: a note is a line in a table, and NATS gets the
//! table every two seconds.

#[cfg(test)]
mod tests;

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use async_nats::{Client, connection::State};
use shared::{
    ChannelId,
    refusal::{Reason, Refusal},
    wire,
};
use tokio::time::timeout;

use crate::deadlines::LAST_NOTES_WITHIN;

/// How often the table is written. All refusals of a channel for one reason are
/// one note until then.
const WRITE_EVERY: Duration = Duration::from_secs(2);
/// The most lines in the table while NATS is away or slow. More are dropped.
const MAX_LINES: usize = 4_096;
/// The most channels within [`WINDOW`] that were not seen authorized. Invented
/// ids must not fill the bucket.
const STRANGERS: usize = 256;
const WINDOW: Duration = Duration::from_secs(60);

/// The notes that are still to be written.
#[derive(Debug, Default)]
pub(crate) struct RefusalNotes(Mutex<NoteTable>);

/// What tells lines apart: see [`Refusal::line`].
type NoteKey = (ChannelId, String);

#[derive(Debug, Default)]
struct NoteTable {
    lines: HashMap<NoteKey, Refusal>,
    strangers: HashSet<ChannelId>,
    window_began: Option<Instant>,
}

impl RefusalNotes {
    /// Notes that a request for this channel was refused, and the rule that it
    /// broke. `known`: the channel was seen authorized.
    pub(crate) fn note(&self, channel: ChannelId, known: bool, reason: Reason, rule: &str) {
        let note = Refusal::new(reason, rule, chrono::Utc::now().timestamp_millis());
        if !self.take(channel, known, note, Instant::now()) {
            metrics::counter!("sentry_bot_ingress_refusals_not_noted_total").increment(1);
        }
    }

    fn take(&self, channel: ChannelId, known: bool, note: Refusal, now: Instant) -> bool {
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !known && !table.admits(channel, now) {
            return false;
        }
        let key = (channel, note.line());
        if let Some(line) = table.lines.get_mut(&key) {
            line.again(note);
            return true;
        }
        let room = table.lines.len() < MAX_LINES;
        if room {
            table.lines.insert(key, note);
        }
        room
    }

    /// Writes the table to NATS for ever. While NATS is away, the notes wait.
    pub(crate) async fn write_down(&self, nats: &Client) {
        loop {
            tokio::time::sleep(WRITE_EVERY).await;
            if nats.connection_state() == State::Connected {
                self.write(nats).await;
            }
        }
    }

    /// Writes the rest at the end of the process, within a short time.
    pub(crate) async fn write_last(&self, nats: &Client) {
        let _ = timeout(LAST_NOTES_WITHIN, async {
            self.write(nats).await;
            nats.flush().await
        })
        .await;
    }

    /// Does not wait for an acknowledgement: a lost note is no lost alert.
    async fn write(&self, nats: &Client) {
        let lines = std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner).lines);
        let mut lines: Vec<_> = lines.into_iter().collect();
        lines.sort_by_key(|(_, note)| note.at_ms);
        for ((channel, line), note) in lines {
            let subject = wire::refusals_subject(channel, &line);
            if let Err(error) = nats.publish(subject, note.encode().into()).await {
                tracing::debug!(channel.id = %channel, %error, "cannot write the note about a refusal");
            }
        }
    }
}

impl NoteTable {
    /// Whether to note a channel that was not seen authorized.
    fn admits(&mut self, channel: ChannelId, now: Instant) -> bool {
        if self.window_began.is_none_or(|began| now.duration_since(began) >= WINDOW) {
            self.window_began = Some(now);
            self.strangers.clear();
        }
        // Nobody has the id 0.
        channel.get() != 0
            && (self.strangers.contains(&channel)
                || self.strangers.len() < STRANGERS && self.strangers.insert(channel))
    }
}
