//! How alerts leave the queue: posted, dead, or dropped.

use std::collections::BTreeSet;

use anyhow::Context as _;

use super::{lane::Lane, record::Record};
use crate::dead_letters::{Cause, Reason};

/// Alerts that are turned into dead letters at once.
const CHUNK: usize = 500;

impl Lane<'_> {
    pub(super) async fn bury_all(&mut self, cause: &Cause) -> anyhow::Result<()> {
        let all = self.backlog.sequences().collect();
        self.bury(&all, cause).await
    }

    /// Alerts of a channel that was never authorized are strangers': no trace.
    pub(super) async fn drop_all(&mut self) -> anyhow::Result<()> {
        let all: BTreeSet<u64> = self.backlog.sequences().collect();
        metrics::counter!("sentry_bot_alerts_dropped_total").increment(all.len() as u64);
        tracing::info!(channel.id = %self.channel, alerts = all.len(), "dropped alerts for a channel that was never authorized");
        self.forget(&all).await
    }

    /// Turns alerts into dead letters. The decision is written down first: in a
    /// successor's eyes they might have to be posted, and some are dead already.
    pub(super) async fn bury(&mut self, sequences: &BTreeSet<u64>, cause: &Cause) -> anyhow::Result<()> {
        let (unsure, sure): (BTreeSet<u64>, BTreeSet<u64>) =
            sequences.iter().partition(|sequence| self.unsure.contains(sequence));
        for (some, cause) in [(sure, cause.clone()), (unsure, cause.clone().if_sent(true))] {
            if !some.is_empty() {
                self.journal.write(&Record::dead(&some, cause.clone())).await?;
                self.bury_decided(&some, &cause).await?;
            }
        }
        Ok(())
    }

    /// The same, where the decision need not be written down (any more).
    pub(super) async fn bury_decided(
        &mut self,
        sequences: &BTreeSet<u64>,
        cause: &Cause,
    ) -> anyhow::Result<()> {
        let all: Vec<u64> = sequences.iter().copied().collect();
        for chunk in all.chunks(CHUNK) {
            let messages = self.around.queue.get(chunk.to_vec()).await?;
            self.around.dead_letters.bury(self.channel, messages, cause).await?;
            self.forget(&chunk.iter().copied().collect()).await?;
        }
        Ok(())
    }

    /// Removes alerts that are posted or dead.
    pub(super) async fn forget(&mut self, sequences: &BTreeSet<u64>) -> anyhow::Result<()> {
        let kept_from = self.kept_from(sequences);
        self.around.queue.remove(self.journal.stream(), &self.subject, sequences, kept_from).await?;
        self.forget_here(sequences);
        Ok(())
    }

    /// The post stands in Discord, as this message if that is known: notes that
    /// down and removes its alerts. In either order a successor sees that it was
    /// posted.
    pub(super) async fn confirm(&mut self, mut record: Record, message: Option<u64>) -> anyhow::Result<()> {
        let sequences = record.sequences();
        let kept_from = self.kept_from(&sequences);
        let stream = self.journal.stream().to_owned();
        let (noted, removed) = tokio::join!(
            self.journal.write_posted(&mut record, message),
            self.around.queue.remove(&stream, &self.subject, &sequences, kept_from)
        );
        noted.and(removed).context("a post is confirmed, but not yet noted down")?;
        self.forget_here(&sequences);
        Ok(())
    }

    /// The lowest sequence that stays when these alerts are removed, if any does.
    fn kept_from(&self, sequences: &BTreeSet<u64>) -> Option<u64> {
        let unreadable = self.unreadable.keys().copied().find(|sequence| !sequences.contains(sequence));
        // What stands from there on is not read yet.
        let unread = self.behind.then_some(self.cursor);
        self.backlog.first_outside(sequences).into_iter().chain(unreadable).chain(unread).min()
    }

    /// Forgets alerts that are removed from the stream.
    fn forget_here(&mut self, sequences: &BTreeSet<u64>) {
        self.backlog.remove(sequences);
        self.unreadable.retain(|sequence, _| !sequences.contains(sequence));
        self.without_links.retain(|sequence| !sequences.contains(sequence));
        self.unsure.retain(|sequence| !sequences.contains(sequence));
    }
}

pub(super) fn revoked_cause() -> Cause {
    Cause::new(Reason::Revoked, "the channel is no longer authorized: authorize it again")
}

pub(super) fn expired_cause() -> Cause {
    Cause::new(Reason::Expired, "it waited too long to be posted")
}
