//! The end of a mute: a line says how many alerts it kept quiet.
//!
//! While such a line is due, the bucket `lanes` has a note of the channel. It makes
//! whatever pod owns the partition open the lane in time.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use bytes::Bytes;
use serde_json::json;
use shared::{ChannelId, wire};
use tokio::{
    sync::mpsc,
    time::{Duration, Instant},
};

use super::{Sorter, record::Untold};
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
const LOOK: Duration = Duration::from_millis(250);
/// Discord's limit for the text of a message.
const MAX_CONTENT_CHARS: usize = 2_000;

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
    async fn clear_mark(&mut self) -> anyhow::Result<()> {
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

    /// Removes a note that a predecessor left. It may have died before it wrote why.
    pub(super) async fn clear_old_mark(&mut self) -> anyhow::Result<()> {
        let Some(journal) = &mut self.journal else { return Ok(()) };
        if journal.record.untold.is_empty() && !journal.record.marked {
            let mark = self.services.lanes_bucket.get(&muted_key(self.channel)).await;
            journal.record.marked = mark.context("cannot look for a note of muted alerts")?.is_some();
        }
        self.clear_mark().await
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
        let left_ms = until_ms.saturating_sub((self.services.now_ms)()).max(0).unsigned_abs();
        Some(Instant::now() + LOOK.min(Duration::from_millis(left_ms)))
    }

    /// The mutes that have ended, by their time or because an admin has ended them. Their
    /// ends must be told. `rules` are the channel's, if they are known now.
    pub(super) fn ended(&self, rules: Option<&ChannelRules>) -> BTreeMap<u64, Untold> {
        let Some(journal) = &self.journal else { return BTreeMap::new() };
        let now_ms = (self.services.now_ms)();
        let over = |mute: u64| rules.is_some_and(|rules| rules.mutes.iter().all(|one| one.number != mute));
        let ended = |(number, untold): &(&u64, &Untold)| !untold.mute.runs(now_ms) || over(**number);
        journal.record.untold.iter().filter(ended).map(|(number, untold)| (*number, untold.clone())).collect()
    }

    /// Notes that the ends of these mutes are told.
    async fn told(&mut self, mutes: &BTreeSet<u64>) -> anyhow::Result<()> {
        let Some(journal) = &mut self.journal else { return Ok(()) };
        let mut next = journal.record.clone();
        next.untold.retain(|number, _| !mutes.contains(number));
        journal.write(next).await?;
        self.clear_mark().await
    }
}

impl Lane<'_> {
    /// Whether the end of a mute must be told now.
    pub(in crate::delivery::lane) async fn mute_has_ended(&self) -> bool {
        !self.ended_mutes().await.is_empty()
    }

    async fn ended_mutes(&self) -> BTreeMap<u64, Untold> {
        if !self.sorter.has_untold() {
            return BTreeMap::new();
        }
        let rules = self.services.authority.rules(self.channel).await.ok();
        self.sorter.ended(rules.as_deref())
    }

    /// Tells the ends of mutes, if some have ended. One message has as many as fit.
    pub(in crate::delivery::lane) async fn tell_muted(
        &mut self,
        wakes: &mut mpsc::Receiver<()>,
    ) -> Result<(), Interruption> {
        let ended = self.ended_mutes().await;
        if ended.is_empty() {
            return Ok(());
        }
        // What comes while the line is sent is not muted by them any more.
        if let Ok(rules) = self.services.authority.rules(self.channel).await {
            self.inbox.learn(&rules);
        }
        let standing = self.services.authority.standing(self.channel).await?;
        if !matches!(standing, ChannelStanding::Authorized(_)) || self.closure.is_flagged() {
            let mutes: BTreeSet<u64> = ended.keys().copied().collect();
            tracing::info!(?mutes, "mutes have ended, and their channel is closed");
            return Ok(self.sorter.told(&mutes).await?);
        }
        let (content, mutes) = lines(&ended);
        let body = json!({
            "content": content,
            "nonce": nonce(self.channel, &mutes, &[json!(content)]),
            "enforce_nonce": true,
            "allowed_mentions": { "parse": [] },
        });
        let record = Record::telling(mutes, body, (self.services.now_ms)());
        self.journal.write(&record).await?;
        self.send(record, false, wakes).await
    }

    /// What follows once Discord has decided on the lines. Nobody gets them later.
    pub(in crate::delivery::lane) async fn finish_telling(
        &mut self,
        mut record: Record,
        outcome: SendOutcome,
    ) -> anyhow::Result<()> {
        let mutes = record.tells.clone();
        match &outcome {
            SendOutcome::Shown(_) => {
                metrics::counter!("sentry_bot_posts_total").increment(1);
                tracing::info!(?mutes, "told the end of mutes");
                self.schedule.posted();
            }
            SendOutcome::Refused { error, .. } | SendOutcome::GivenUp { error, .. } => {
                tracing::warn!(?mutes, "cannot tell the end of mutes: {error}");
            }
            _ => tracing::info!(?mutes, "the end of mutes may not be told"),
        }
        self.sorter.told(&mutes).await?;
        self.journal.write_posted(&mut record, None).await
    }
}

/// The lines of as many of these mutes as fit one message, and which those are.
fn lines(ended: &BTreeMap<u64, Untold>) -> (String, BTreeSet<u64>) {
    let (mut content, mut mutes) = (String::new(), BTreeSet::new());
    for (number, untold) in ended {
        let line = line(untold);
        let chars = content.chars().count() + line.chars().count() + 1;
        if !content.is_empty() {
            if chars > MAX_CONTENT_CHARS {
                break;
            }
            content.push('\n');
        }
        content.extend(line.chars().take(MAX_CONTENT_CHARS));
        mutes.insert(*number);
    }
    (content, mutes)
}

/// What a mute kept quiet, and which mute that was.
fn line(Untold { mute, count }: &Untold) -> String {
    let muted =
        if *count == 1 { "1 alert was muted".to_owned() } else { format!("{count} alerts were muted") };
    format!("{muted}. Mute {} has ended: {}", mute.number, words::ended(mute))
}
