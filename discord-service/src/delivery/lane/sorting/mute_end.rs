//! The end of a mute: one line says how many alerts it kept quiet.
//!
//! While such a line is due, the bucket `lanes` has a note of the channel. It makes
//! whatever pod owns the partition open the lane in time.

use anyhow::Context as _;
use bytes::Bytes;
use serde_json::json;
use shared::{ChannelId, wire};
use tokio::{
    sync::mpsc,
    time::{Duration, Instant},
};

use super::{Sorter, places::now_ms, record::Untold};
use crate::{
    authority::ChannelStanding,
    delivery::{
        lane::{Lane, deliver::SendOutcome, interruption::Interruption},
        record::{Record, nonce},
    },
    kv::Bucket,
    rules::{ChannelRules, words},
};

/// How often to look whether somebody has ended a mute.
const LOOK: Duration = Duration::from_millis(500);

/// The key of the note that mutes of this channel have kept alerts quiet.
fn muted_key(channel: ChannelId) -> String {
    format!("{}.{channel}.muted", wire::partition(channel))
}

/// The channels that have such a note.
pub(crate) async fn all_muted(bucket: &Bucket) -> anyhow::Result<Vec<ChannelId>> {
    let mut muted = Vec::new();
    for key in bucket.keys("*.*.muted").await? {
        let channel = key.split('.').nth(1).and_then(|id| id.parse().ok());
        // A note that was removed leaves a mark.
        if let Some(channel) = channel
            && bucket.get(&key).await?.is_some()
        {
            muted.push(channel);
        }
    }
    Ok(muted)
}

impl Sorter<'_> {
    /// Notes that the channel has mutes whose end must be told.
    pub(super) async fn mark(&self) -> anyhow::Result<()> {
        let marked = self.services.lanes_bucket.put(&muted_key(self.channel), Bytes::from_static(b"1")).await;
        marked.context("cannot note that alerts are muted")
    }

    /// Removes the note once all is told.
    pub(super) async fn clear_mark(&mut self) -> anyhow::Result<()> {
        let Some(journal) = &mut self.journal else { return Ok(()) };
        if !journal.record.marked || !journal.record.untold.is_empty() {
            return Ok(());
        }
        let purged = self.services.lanes_bucket.purge(&muted_key(self.channel)).await;
        purged.context("cannot note that all muted alerts are told")?;
        let mut next = journal.record.clone();
        next.marked = false;
        journal.write(next).await
    }

    /// Whether the end of some mute must be told, now or later.
    pub(in crate::delivery::lane) fn has_untold(&self) -> bool {
        self.journal.as_ref().is_some_and(|journal| !journal.record.untold.is_empty())
    }

    /// Whether the end of this mute must be told.
    pub(in crate::delivery::lane) fn is_untold(&self, mute: u64) -> bool {
        self.journal.as_ref().is_some_and(|journal| journal.record.untold.contains_key(&mute))
    }

    /// When to look for a mute that has ended.
    pub(in crate::delivery::lane) fn next_look(&self) -> Option<Instant> {
        let untold = &self.journal.as_ref()?.record.untold;
        let until_ms = untold.values().map(|untold| untold.mute.until_ms).min()?;
        let left_ms = until_ms.saturating_sub(now_ms()).max(0).unsigned_abs();
        Some(Instant::now() + LOOK.min(Duration::from_millis(left_ms)))
    }

    /// A mute that has ended, by its time or because an admin has ended it. Its end
    /// must be told. `rules` are the channel's, if they are known now.
    fn ended(&self, rules: Option<&ChannelRules>) -> Option<(u64, Untold)> {
        let (untold, now_ms) = (&self.journal.as_ref()?.record.untold, now_ms());
        let over = |mute: u64| rules.is_some_and(|rules| rules.mutes.iter().all(|one| one.number != mute));
        let ended = untold.iter().find(|(number, untold)| !untold.mute.runs(now_ms) || over(**number));
        ended.map(|(number, untold)| (*number, untold.clone()))
    }

    /// Notes that the end of this mute is told.
    async fn told(&mut self, mute: u64) -> anyhow::Result<()> {
        let Some(journal) = &mut self.journal else { return Ok(()) };
        let mut next = journal.record.clone();
        next.untold.remove(&mute);
        journal.write(next).await?;
        self.clear_mark().await
    }
}

impl Lane<'_> {
    /// Whether the end of a mute must be told now.
    pub(in crate::delivery::lane) async fn mute_has_ended(&self) -> bool {
        self.ended_mute().await.is_some()
    }

    async fn ended_mute(&self) -> Option<(u64, Untold)> {
        if !self.sorter.has_untold() {
            return None;
        }
        let rules = self.services.authority.rules(self.channel).await.ok();
        self.sorter.ended(rules.as_deref())
    }

    /// Tells the end of a mute, if one has ended.
    pub(in crate::delivery::lane) async fn tell_muted(
        &mut self,
        wakes: &mut mpsc::Receiver<()>,
    ) -> Result<(), Interruption> {
        let Some((number, untold)) = self.ended_mute().await else { return Ok(()) };
        let standing = self.services.authority.standing(self.channel).await?;
        if !matches!(standing, ChannelStanding::Authorized(_)) || self.closure.is_flagged() {
            tracing::info!(
                mute = number,
                alerts = untold.count,
                "a mute has ended, and its channel is closed"
            );
            return Ok(self.sorter.told(number).await?);
        }
        let line = line(&untold);
        let body = json!({
            "content": line,
            "nonce": nonce(self.channel, &[number, untold.count].into(), &[json!(untold.mute.until_ms)]),
            "enforce_nonce": true,
            "allowed_mentions": { "parse": [] },
        });
        let record = Record::telling(number, body, now_ms());
        self.journal.write(&record).await?;
        self.send(record, false, wakes).await
    }

    /// What follows once Discord has decided on the line. Nobody gets it later.
    pub(in crate::delivery::lane) async fn finish_telling(
        &mut self,
        mute: u64,
        mut record: Record,
        outcome: SendOutcome,
    ) -> anyhow::Result<()> {
        match &outcome {
            SendOutcome::Shown(_) => {
                metrics::counter!("sentry_bot_posts_total").increment(1);
                tracing::info!(mute, "told the end of a mute");
                self.schedule.posted();
            }
            SendOutcome::Refused { error, .. } | SendOutcome::GivenUp { error, .. } => {
                tracing::warn!(mute, "cannot tell the end of a mute: {error}");
            }
            _ => tracing::info!(mute, "the end of a mute may not be told"),
        }
        self.sorter.told(mute).await?;
        self.journal.write_posted(&mut record, None).await
    }
}

/// What a mute kept quiet, and which mute that was.
fn line(Untold { mute, count }: &Untold) -> String {
    let muted =
        if *count == 1 { "1 alert was muted".to_owned() } else { format!("{count} alerts were muted") };
    format!("{muted}. Mute {} has ended: {}", mute.number, words::ended(mute))
}
