//! How often rules and mutes decided something.

use std::collections::BTreeMap;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use shared::ChannelId;

use super::Decision;
use crate::kv::Bucket;

/// How often one rule or mute decided, and when last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Hit {
    /// How many alerts.
    pub count: u64,
    /// When the last of them was decided, in milliseconds since 1970.
    pub last_ms: i64,
}

impl Hit {
    /// Adds later hits.
    pub(crate) fn add(&mut self, other: Self) {
        self.count = self.count.saturating_add(other.count);
        self.last_ms = self.last_ms.max(other.last_ms);
    }
}

/// What a channel's rules and mutes decided so far. An alert that a rule keeps
/// counts once it is posted.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RuleCounts {
    /// By the id of the rule.
    pub rules: BTreeMap<u64, Hit>,
    /// By the number of the mute.
    pub mutes: BTreeMap<u64, Hit>,
    /// Alerts that left for other channels.
    pub routed: u64,
    /// Alerts that rules dropped.
    pub dropped: u64,
    /// Alerts that mutes kept quiet.
    pub muted: u64,
    /// When the last alert was decided that is not posted here, in milliseconds since
    /// 1970. Only a reader of the record sets it.
    #[serde(skip)]
    pub last_left_ms: Option<i64>,
}

impl RuleCounts {
    /// How many alerts were decided as this one, if that left a count.
    pub(crate) fn of_decision(&self, decision: Decision) -> u64 {
        let hit = match decision {
            Decision::Mute(number) => self.mutes.get(&number),
            Decision::Drop(rule) | Decision::Route { rule, .. } => self.rules.get(&rule),
            Decision::Keep { .. } => None,
        };
        hit.map_or(0, |hit| hit.count)
    }

    /// Adds later counts.
    pub(crate) fn add(&mut self, other: &Self) {
        add_hits(&mut self.rules, &other.rules);
        add_hits(&mut self.mutes, &other.mutes);
        self.routed = self.routed.saturating_add(other.routed);
        self.dropped = self.dropped.saturating_add(other.dropped);
        self.muted = self.muted.saturating_add(other.muted);
    }
}

/// Adds later hits to each rule's or mute's.
pub(crate) fn add_hits(hits: &mut BTreeMap<u64, Hit>, later: &BTreeMap<u64, Hit>) {
    for (id, hit) in later {
        hits.entry(*id).or_default().add(*hit);
    }
}

/// The key of the channel's sorting record in the bucket [`shared::wire::LANES`].
pub(crate) fn sorting_key(channel: ChannelId) -> String {
    format!("{channel}.sorting")
}

/// The counts of a channel. `bucket` is [`shared::wire::LANES`].
///
/// # Errors
/// When NATS is away.
pub async fn of(bucket: &Bucket, channel: ChannelId) -> anyhow::Result<RuleCounts> {
    let (sorting_key, record_key) = (sorting_key(channel), channel.to_string());
    let reads = tokio::join!(bucket.get(&sorting_key), bucket.get(&record_key));
    let sorting = reads.0.context("cannot read what the rules decided")?;
    let record = reads.1.context("cannot read the lane's record")?;
    Ok(read(sorting.as_deref(), record.as_deref()))
}

/// The counts in a sorting record and a lane's record of whichever version.
pub(crate) fn read(sorting: Option<&[u8]>, record: Option<&[u8]>) -> RuleCounts {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Sorting {
        counts: RuleCounts,
    }
    let sorting: Sorting = sorting.and_then(|value| serde_json::from_slice(value).ok()).unwrap_or_default();
    let mut counts = sorting.counts;
    counts.last_left_ms = counts.rules.values().chain(counts.mutes.values()).map(|hit| hit.last_ms).max();
    add_hits(&mut counts.rules, &record.map(kept_hits).unwrap_or_default());
    counts
}

/// The hits of rules that keep alerts, in a lane's record of whichever version.
pub(crate) fn kept_hits(record: &[u8]) -> BTreeMap<u64, Hit> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct WithHits {
        hits: BTreeMap<u64, Hit>,
    }
    serde_json::from_slice::<WithHits>(record).unwrap_or_default().hits
}
