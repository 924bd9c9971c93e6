//! The last dead letters of one channel, and whether a certain alert is one.

use anyhow::Context as _;
use shared::{ChannelId, wire};

use super::{DeadLetter, DeadLetters};
use crate::leader_stream::LeaderStream;

/// How far back to look first, in sequences of the stream; then so many times
/// as far. Dead letters of other channels stand between those of one.
const LOOK_BACK: u64 = 64;
const FURTHER: u64 = 16;
/// Dead letters that are looked through for a certain alert.
const MAX_LOOKED_THROUGH: usize = 1_000;

/// What is known of a channel's dead letters.
#[derive(Debug, Default)]
pub struct Latest {
    /// How many are kept.
    pub kept: u64,
    /// The last of them that can be read, newest first.
    pub letters: Vec<DeadLetter>,
}

impl DeadLetters {
    /// The last `count` dead letters of the channel.
    ///
    /// # Errors
    /// When NATS is away.
    pub async fn latest(&self, channel: ChannelId, count: usize) -> anyhow::Result<Latest> {
        let subjects = wire::dead_letter_subject("*", channel);
        let stream = LeaderStream::new(&self.js, wire::DEAD_LETTERS).await?;
        let kept = stream.count(&subjects).await.context("cannot count the dead letters")?;
        let last = stream.last(&subjects).await.context("cannot look for a dead letter")?;
        let Some(last) = last.map(|letter| letter.sequence).filter(|_| kept > 0) else {
            return Ok(Latest::default());
        };
        let mut span = LOOK_BACK;
        let letters = loop {
            let from = last.saturating_sub(span).max(1);
            let found = self.from(channel, from).await?;
            if found.len() as u64 >= kept.min(count as u64) || from == 1 {
                break found;
            }
            span = span.saturating_mul(FURTHER);
        };
        let letters = letters.into_iter().rev().take(count).flatten().collect();
        Ok(Latest { kept, letters })
    }

    /// The channel's dead letters from this sequence on; `None` for those that
    /// this build cannot read.
    async fn from(&self, channel: ChannelId, mut from: u64) -> anyhow::Result<Vec<Option<DeadLetter>>> {
        let mut letters = Vec::new();
        loop {
            let page = self.page(Some(channel), from).await?;
            let Some((last, _)) = page.last() else { return Ok(letters) };
            from = last + 1;
            letters.extend(page.into_iter().map(|(_, letter)| letter));
        }
    }

    /// The dead letter of the alert with this event id among the channel's after
    /// this sequence, as the stream's leader has them.
    ///
    /// # Errors
    /// When NATS is away.
    pub(crate) async fn of_event(
        &self,
        channel: ChannelId,
        event_id: &str,
        after: u64,
    ) -> anyhow::Result<Option<DeadLetter>> {
        let subjects = wire::dead_letter_subject("*", channel);
        let stream = LeaderStream::new(&self.js, wire::DEAD_LETTERS).await?;
        let mut from = after + 1;
        for _ in 0..MAX_LOOKED_THROUGH {
            let found = stream.first(&subjects, from).await.context("cannot look for a dead letter")?;
            let Some(message) = found else { break };
            from = message.sequence + 1;
            let letter: Option<DeadLetter> = serde_json::from_slice(&message.payload).ok();
            let is_it = |letter: &DeadLetter| {
                letter.alert.as_ref().is_some_and(|alert| alert.event_id.as_deref() == Some(event_id))
            };
            if let Some(letter) = letter.filter(is_it) {
                return Ok(Some(letter));
            }
        }
        Ok(None)
    }
}
