//! How alerts leave the queue: posted, dead, or dropped.

use std::collections::BTreeSet;

use anyhow::Context as _;

use super::Lane;
use crate::{
    dead_letters::{Cause, DeadLetterReason},
    delivery::record::Record,
};

/// How many alerts become dead letters at a time.
const CHUNK: usize = 500;

impl Lane<'_> {
    /// Drops alerts for a channel that was never authorized. They come from
    /// strangers and leave no trace.
    pub(super) async fn drop_all(&mut self) -> anyhow::Result<()> {
        let all: BTreeSet<u64> = self.inbox.backlog().sequences().collect();
        metrics::counter!("sentry_bot_alerts_dropped_total", "why" => "stranger").increment(all.len() as u64);
        tracing::info!(alerts = all.len(), "dropped alerts for a channel that was never authorized");
        self.forget(&all).await
    }

    /// Makes dead letters of alerts that cannot be read. This comes after the
    /// predecessor's work, because it may have read and posted them.
    pub(super) async fn bury_unreadable(&mut self) -> anyhow::Result<()> {
        while let Some((sequences, why)) = self.inbox.unreadable() {
            self.bury(&sequences, &Cause::new(DeadLetterReason::Unreadable, why)).await?;
        }
        Ok(())
    }

    /// Turns alerts into dead letters. The decision is written down first.
    /// Otherwise a successor could decide to post them, though some are dead
    /// letters already.
    pub(super) async fn bury(&mut self, sequences: &BTreeSet<u64>, cause: &Cause) -> anyhow::Result<()> {
        let (maybe_posted, others) = self.inbox.part_maybe_posted(sequences);
        for (some, cause) in [(others, cause.clone()), (maybe_posted, cause.clone().maybe_posted(true))] {
            if !some.is_empty() {
                self.journal.write(&Record::dead(&some, cause.clone())).await?;
                self.bury_decided(&some, &cause).await?;
            }
        }
        Ok(())
    }

    /// The same, if the decision is written down already.
    pub(super) async fn bury_decided(
        &mut self,
        sequences: &BTreeSet<u64>,
        cause: &Cause,
    ) -> anyhow::Result<()> {
        let all: Vec<u64> = sequences.iter().copied().collect();
        for chunk in all.chunks(CHUNK) {
            let messages = self.services.queue.get(chunk.to_vec()).await?;
            // First the dead letter, then the removal. After a crash between
            // the two the alert is still there, and burying it again stores no
            // second letter.
            self.services.dead_letters.bury(self.channel, messages, cause).await?;
            self.forget(&chunk.iter().copied().collect()).await?;
        }
        Ok(())
    }

    /// Removes alerts that are posted or dead.
    pub(super) async fn forget(&mut self, sequences: &BTreeSet<u64>) -> anyhow::Result<()> {
        self.inbox.remove_stored(sequences).await?;
        self.inbox.forget(sequences);
        Ok(())
    }

    /// Notes that Discord shows the post, as this message if known, and removes
    /// its alerts. In either order a successor sees that it was posted, so both
    /// are done at once.
    pub(super) async fn confirm(&mut self, mut record: Record, message: Option<u64>) -> anyhow::Result<()> {
        let sequences = record.sequences();
        let (noted, removed) = tokio::join!(
            self.journal.write_posted(&mut record, message),
            self.inbox.remove_stored(&sequences)
        );
        noted.and(removed).context("a post is confirmed, but not yet noted down")?;
        self.inbox.forget(&sequences);
        Ok(())
    }
}
