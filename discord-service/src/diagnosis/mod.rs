//! What `status` and `test` find out about a channel. Everything is in
//! NATS, so any pod can tell, whichever one posts for the channel.

mod sample;

use std::{collections::HashSet, time::Duration};

use anyhow::Context as _;
use async_nats::jetstream::{self, message::StreamMessage};
use bytes::Bytes;
use shared::{Alert, ChannelId, refusal::Refusal, wire};
use tokio::time::timeout;

pub use self::sample::SampleOutcome;
use crate::{
    closure::{self, Closure},
    dead_letters::{DeadLetters, Latest},
    direct_get::{self, BatchRequest},
    kv::Bucket,
    leader_stream::LeaderStream,
    rules::counts::{self, RuleCounts},
    tally::{self, Tally},
};

/// Refusals and dead letters that are shown.
const SHOWN: usize = 5;
/// Kinds of refusals that are shown.
const KINDS: usize = 2 * SHOWN;
/// The key that [`Diagnosis::can_route`] writes, and how long NATS may take.
const PROBE: &str = "probe";
const PROBED: Duration = Duration::from_secs(2);

/// What is known of a channel. Times are in milliseconds since 1970.
#[derive(Debug, Default)]
pub struct Findings {
    /// What was posted.
    pub tally: Tally,
    /// What waits.
    pub waiting: WaitingSummary,
    /// Whether Discord does not let the bot post there, or did not until now.
    pub closure: Option<Closure>,
    /// The dead letters that follow when it does again.
    pub follows: usize,
    /// What cannot be delivered.
    pub dead: Latest,
    /// The last refusal of each kind, and the last five at least, newest first.
    pub refusals: Vec<Refusal>,
    /// What rules and mutes decided.
    pub rule_counts: RuleCounts,
}

/// The alerts of a channel that wait to be posted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WaitingSummary {
    /// How many they are.
    pub alerts: u64,
    /// When the first of them was received.
    pub oldest_ms: Option<i64>,
    /// When the last of them was received.
    pub newest_ms: Option<i64>,
}

impl Findings {
    /// How many alerts were taken: they are posted, wait, are dead letters, or a rule or a
    /// mute took them away.
    pub fn received(&self) -> u64 {
        let RuleCounts { routed, dropped, muted, .. } = &self.rule_counts;
        self.tally.posted + self.waiting.alerts + self.dead.kept + routed + dropped + muted
    }

    /// When the last alert was taken.
    pub fn last_received_ms(&self) -> Option<i64> {
        let dead = self.dead.letters.iter().filter_map(|letter| Some(letter.alert.as_ref()?.received_ms));
        let left = self.rule_counts.last_left_ms;
        dead.chain(self.tally.received_ms).chain(self.waiting.newest_ms).chain(left).max()
    }
}

/// Looks into NATS. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Diagnosis {
    js: jetstream::Context,
    dead_letters: DeadLetters,
    max_age: Duration,
}

impl Diagnosis {
    /// Over the connection of these dead letters. Alerts older than `max_age` are
    /// not posted.
    pub fn new(dead_letters: DeadLetters, max_age: Duration) -> Self {
        Self { js: dead_letters.js().clone(), dead_letters, max_age }
    }

    /// Those of these channels that are closed, and how many dead letters follow.
    ///
    /// # Errors
    /// When NATS is away.
    pub(crate) async fn closed(
        &self,
        channels: &[ChannelId],
    ) -> anyhow::Result<Vec<(ChannelId, Closure, usize)>> {
        let lanes = Bucket::new(&self.js, wire::LANES);
        let mut closed = Vec::new();
        for channel in channels {
            if let (Some(closure), follows) = self.closure(&lanes, *channel).await? {
                closed.push((*channel, closure, follows));
            }
        }
        Ok(closed)
    }

    /// Discord's words, if it refuses posts in the channel.
    ///
    /// # Errors
    /// When NATS is away.
    pub(crate) async fn why_closed(&self, channel: ChannelId) -> anyhow::Result<Option<String>> {
        let closure = closure::of(&Bucket::new(&self.js, wire::LANES), channel).await?;
        Ok(closure.filter(Closure::is_closed).map(|closure| closure.words().to_owned()))
    }

    async fn closure(&self, lanes: &Bucket, channel: ChannelId) -> anyhow::Result<(Option<Closure>, usize)> {
        let Some(closure) = closure::of(lanes, channel).await? else { return Ok((None, 0)) };
        let oldest = chrono::Utc::now() - self.max_age;
        let follows = self.dead_letters.following(channel, oldest.timestamp_millis()).await?;
        Ok((Some(closure), follows))
    }

    /// All that is known of the channel.
    ///
    /// # Errors
    /// When NATS is away.
    pub async fn of(&self, channel: ChannelId) -> anyhow::Result<Findings> {
        let lanes = Bucket::new(&self.js, wire::LANES);
        let (tally, waiting, (closure, follows), dead, refusals, rule_counts) = tokio::try_join!(
            tally::of(&lanes, channel),
            self.waiting(channel),
            self.closure(&lanes, channel),
            self.dead_letters.latest(channel, SHOWN),
            self.refusals(channel),
            counts::of(&lanes, channel),
        )?;
        Ok(Findings { tally, waiting, closure, follows, dead, refusals, rule_counts })
    }

    /// What the channel's rules and mutes decided.
    ///
    /// # Errors
    /// When NATS is away.
    pub(crate) async fn rule_counts(&self, channel: ChannelId) -> anyhow::Result<RuleCounts> {
        counts::of(&Bucket::new(&self.js, wire::LANES), channel).await
    }

    /// Whether lanes can note which alerts they took from rules. Without that, such an
    /// alert would stop its target. NATS does not answer a write that it refuses.
    ///
    /// # Errors
    /// When NATS is away.
    pub(crate) async fn can_route(&self) -> anyhow::Result<bool> {
        let noted = Bucket::new(&self.js, wire::ROUTED);
        match timeout(PROBED, noted.put(PROBE, Bytes::new())).await {
            Ok(written) => written.map(|()| true),
            Err(_) => Ok(false),
        }
    }

    async fn waiting(&self, channel: ChannelId) -> anyhow::Result<WaitingSummary> {
        let subject = wire::alert_subject(channel);
        let stream = LeaderStream::new(&self.js, wire::ALERTS).await?;
        let cannot = "cannot count what waits";
        let alerts = stream.count(&subject).await.context(cannot)?;
        if alerts == 0 {
            return Ok(WaitingSummary::default());
        }
        let (oldest, newest) =
            tokio::try_join!(stream.first(&subject, 1), stream.last(&subject)).context(cannot)?;
        // They may be gone meanwhile.
        let (oldest_ms, newest_ms) = (oldest.as_ref().map(received_ms), newest.as_ref().map(received_ms));
        Ok(WaitingSummary { alerts, oldest_ms, newest_ms })
    }

    async fn refusals(&self, channel: ChannelId) -> anyhow::Result<Vec<Refusal>> {
        let subject = wire::refusals_subjects(channel);
        let bucket = wire::bucket_stream(wire::REFUSALS);
        let notes = BatchRequest { stream: &bucket, subject: &subject, from: 1, most: direct_get::BATCH };
        let notes = direct_get::read(&self.js, notes).await?;
        Ok(last(notes.messages.iter().filter_map(|note| Refusal::decode(&note.payload)).collect()))
    }
}

/// The last refusal of each kind, and the last [`SHOWN`] of all where those are
/// fewer, newest first: what comes often pushes out nothing else.
fn last(mut notes: Vec<Refusal>) -> Vec<Refusal> {
    notes.sort_by_key(|note| std::cmp::Reverse(note.at_ms));
    let mut lines = HashSet::new();
    let (mut shown, others): (Vec<_>, Vec<_>) = notes.into_iter().partition(|note| lines.insert(note.line()));
    shown.extend(others.into_iter().take(SHOWN.saturating_sub(lines.len())));
    shown.sort_by_key(|note| std::cmp::Reverse(note.at_ms));
    shown.truncate(KINDS);
    shown
}

/// When the alert was received. What cannot be read was stored at about that time.
fn received_ms(message: &StreamMessage) -> i64 {
    Alert::decode(&message.payload)
        .map_or_else(|_| (message.time.unix_timestamp_nanos() / 1_000_000) as i64, |alert| alert.received_ms)
}

#[cfg(test)]
mod tests;
