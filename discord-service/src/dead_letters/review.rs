//! Looking at dead letters, putting them back, and throwing them away.

use std::collections::HashSet;

use anyhow::Context as _;
use shared::{ChannelId, wire};

use super::{DeadLetter, DeadLetters, LetterStream as _};
use crate::{
    closure,
    direct_get::{self, BatchRequest},
    kv::Bucket,
    leader_stream::LeaderStream,
};

/// What became of a replay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Replayed {
    /// Alerts that are in the queue again.
    pub alerts: u64,
    /// Dead letters that stay, since they hold no alert.
    pub unreadable: u64,
    /// Whether it ended early and others stay too, as when the queue is full.
    pub ended_early: bool,
}

impl DeadLetters {
    /// A page of dead letters from this sequence on, of one channel or of all,
    /// with their sequences, oldest first. An empty page ends the list.
    ///
    /// # Errors
    /// When NATS is away.
    pub async fn page(
        &self,
        channel: Option<ChannelId>,
        from: u64,
    ) -> anyhow::Result<Vec<(u64, Option<DeadLetter>)>> {
        self.page_of(&subjects(channel), from).await
    }

    /// How many of a channel's dead letters follow when it is open again. Those
    /// received after this time (milliseconds since 1970) count, up to a
    /// thousand.
    pub(crate) async fn following(&self, channel: ChannelId, oldest_ms: i64) -> anyhow::Result<usize> {
        let (mut from, mut count) = (1, 0);
        while count < 1_000 {
            let page = self.unreachable(channel, from).await?;
            let Some((last, _)) = page.last() else { break };
            from = last + 1;
            count += page.iter().flat_map(|(_, letter)| letter).filter(|l| l.follows(oldest_ms)).count();
        }
        Ok(count)
    }

    pub(super) async fn page_of(
        &self,
        subjects: &str,
        from: u64,
    ) -> anyhow::Result<Vec<(u64, Option<DeadLetter>)>> {
        let letters =
            BatchRequest { stream: wire::DEAD_LETTERS, subject: subjects, from, most: direct_get::BATCH };
        let batch = direct_get::read(&self.js, letters).await?;
        Ok(batch
            .messages
            .into_iter()
            .map(|stored| (stored.sequence, serde_json::from_slice(&stored.payload).ok()))
            .collect())
    }

    /// One dead letter as it is stored, if there is one with this sequence.
    ///
    /// # Errors
    /// When NATS is away.
    pub async fn show(&self, sequence: u64) -> anyhow::Result<Option<serde_json::Value>> {
        let stream = LeaderStream::new(&self.js, wire::DEAD_LETTERS).await?;
        let found = stream.get(sequence).await.context("cannot read the dead letter")?;
        Ok(found.and_then(|message| serde_json::from_slice(&message.payload).ok()))
    }

    /// Puts the dead letters of one channel, or of all, back into the queue,
    /// and lets blocked channels be tried again. Their age counts from now.
    /// Those that die again meanwhile stay dead.
    ///
    /// # Errors
    /// When NATS is away.
    pub async fn replay(&self, channel: Option<ChannelId>) -> anyhow::Result<Replayed> {
        let lanes = Bucket::new(&self.js, wire::LANES);
        let end = self.last().await?;
        let mut replayed = Replayed::default();
        let mut lifted = HashSet::new();
        let mut from = 1;
        while from <= end {
            let page = self.page(channel, from).await?;
            let Some((last, _)) = page.last() else { break };
            from = last + 1;
            for (sequence, letter) in page.into_iter().take_while(|(sequence, _)| *sequence <= end) {
                let Some(DeadLetter { alert: Some(mut alert), may_have_been_posted, .. }) = letter else {
                    replayed.unreadable += 1;
                    continue;
                };
                alert.replayed_ms = Some(chrono::Utc::now().timestamp_millis());
                alert.may_have_been_posted = may_have_been_posted;
                if lifted.insert(alert.channel) {
                    closure::lift(&lanes, alert.channel).await?;
                }
                if let Err(error) = self.put_back(sequence, &alert).await {
                    tracing::warn!(channel.id = %alert.channel, "a replay ends early: {error:#}");
                    return Ok(Replayed { ended_early: true, ..replayed });
                }
                replayed.alerts += 1;
            }
        }
        Ok(replayed)
    }

    /// Throws the dead letters of one channel, or of all, away and says how many.
    ///
    /// # Errors
    /// When NATS is away.
    pub async fn purge(&self, channel: Option<ChannelId>) -> anyhow::Result<u64> {
        let stream = self.js.get_stream_no_info(wire::DEAD_LETTERS).await.context("no dead letters yet")?;
        let purged =
            stream.purge().filter(subjects(channel)).await.context("cannot throw the dead letters away")?;
        Ok(purged.purged)
    }
}

fn subjects(channel: Option<ChannelId>) -> String {
    channel.map_or_else(
        || wire::DEAD_LETTERS_SUBJECTS.to_owned(),
        |channel| wire::dead_letter_subject("*", channel),
    )
}
