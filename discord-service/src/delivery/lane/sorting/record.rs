//! The sorting record: which alerts leave the channel now, and what its rules and
//! mutes decided so far. It is written before an alert leaves.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use shared::{ChannelId, alert::Ping};

use super::places::Leaving;
use crate::{
    delivery::ports::KeyValue,
    kv::Entry,
    rules::{ChannelRules, Hit, Mute, RuleCounts, counts::sorting_key},
    sequences::{of_runs, runs_of},
};

/// The version of the record.
const VERSION: u32 = 1;

/// One channel's record.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct SortingRecord {
    v: u32,
    /// The stream that the sequences belong to.
    stream: String,
    /// The alerts that leave now, or left last.
    batch: Batch,
    /// What was decided so far, with this batch.
    pub(super) counts: RuleCounts,
    /// The mutes whose end must be told.
    pub(super) untold: BTreeMap<u64, Untold>,
    /// Whether the note that the channel has such mutes may be there.
    pub(super) marked: bool,
}

/// A mute that kept alerts quiet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Untold {
    pub(super) mute: Mute,
    pub(super) count: u64,
}

/// Alerts that leave together, as runs of sequences.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Batch {
    hops: Vec<Hops>,
    dropped: BTreeMap<u64, Vec<(u64, u64)>>,
    muted: BTreeMap<u64, Vec<(u64, u64)>>,
}

/// Alerts that go to one channel for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Hops {
    #[serde(flatten)]
    to: Destination,
    runs: Vec<(u64, u64)>,
}

/// Where alerts go, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Destination {
    pub(super) target: ChannelId,
    /// The rule that sends them. Changes follow their issue.
    pub(super) rule: Option<u64>,
    pub(super) ping: Option<Ping>,
    /// Whether they stay here as well.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) stay: bool,
    /// The mute that keeps these changes from making messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) quiet: Option<u64>,
}

/// One alert on its way to one channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Hop {
    pub(super) sequence: u64,
    pub(super) to: Destination,
}

impl Batch {
    /// The batch of these alerts.
    pub(super) fn of<'a>(leaving: impl Iterator<Item = (u64, &'a Leaving)>) -> Self {
        let mut hops: BTreeMap<Destination, BTreeSet<u64>> = BTreeMap::new();
        let (mut dropped, mut muted) = (BTreeMap::new(), BTreeMap::new());
        for (sequence, leaving) in leaving {
            match leaving {
                Leaving::Route { rule, target, ping } => {
                    let (target, rule, ping) = (*target, Some(*rule), *ping);
                    let to = Destination { target, rule, ping, stay: false, quiet: None };
                    hops.entry(to).or_default().insert(sequence);
                }
                Leaving::Drop(rule) => insert(&mut dropped, *rule, sequence),
                Leaving::Mute(mute) => insert(&mut muted, *mute, sequence),
                Leaving::Follow { targets, stays, quiet } => {
                    for target in targets.iter().copied() {
                        let (stay, quiet) = (stays.is_some(), *quiet);
                        let to = Destination { target, rule: None, ping: None, stay, quiet };
                        hops.entry(to).or_default().insert(sequence);
                    }
                }
            }
        }
        let hops = hops.into_iter().map(|(to, sequences)| Hops { to, runs: runs_of(&sequences) });
        let runs = |ids: BTreeMap<u64, BTreeSet<u64>>| {
            ids.into_iter().map(|(id, sequences)| (id, runs_of(&sequences))).collect()
        };
        Self { hops: hops.collect(), dropped: runs(dropped), muted: runs(muted) }
    }

    /// Each alert that goes elsewhere, in order.
    pub(super) fn hops(&self) -> Vec<Hop> {
        let hops = self.hops.iter().flat_map(|Hops { to, runs }| {
            of_runs(runs).into_iter().map(|sequence| Hop { sequence, to: *to })
        });
        let mut hops: Vec<Hop> = hops.collect();
        hops.sort_unstable();
        hops
    }

    /// The alerts that leave for nowhere: dropped, and muted.
    pub(super) fn ended(&self) -> (BTreeSet<u64>, BTreeSet<u64>) {
        let all =
            |ids: &BTreeMap<u64, Vec<(u64, u64)>>| ids.values().flat_map(|runs| of_runs(runs)).collect();
        (all(&self.dropped), all(&self.muted))
    }

    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn mutes(&self) -> impl Iterator<Item = (u64, u64)> {
        self.muted.iter().map(|(mute, runs)| (*mute, length(runs)))
    }

    fn counts(&self, last_ms: i64) -> RuleCounts {
        let hit = |count| Hit { count, last_ms };
        let mut counts = RuleCounts::default();
        for hops in self.hops.iter().filter(|hops| !hops.to.stay) {
            if let Some(rule) = hops.to.rule {
                counts.rules.entry(rule).or_default().add(hit(length(&hops.runs)));
            }
        }
        let routed: BTreeSet<u64> =
            self.hops.iter().filter(|hops| !hops.to.stay).flat_map(|hops| of_runs(&hops.runs)).collect();
        counts.routed = routed.len() as u64;
        for (rule, runs) in &self.dropped {
            counts.rules.entry(*rule).or_default().add(hit(length(runs)));
            counts.dropped += length(runs);
        }
        for (mute, count) in self.mutes() {
            counts.mutes.entry(mute).or_default().add(hit(count));
            counts.muted += count;
        }
        counts
    }
}

fn insert(ids: &mut BTreeMap<u64, BTreeSet<u64>>, id: u64, sequence: u64) {
    ids.entry(id).or_default().insert(sequence);
}

fn length(runs: &[(u64, u64)]) -> u64 {
    runs.iter().map(|(_, length)| *length).sum()
}

impl SortingRecord {
    /// The same with another batch in place of the last one, which is over.
    pub(super) fn with(&self, stream: &str, batch: Batch, rules: &ChannelRules, now_ms: i64) -> Self {
        let mut next = Self { v: VERSION, stream: stream.to_owned(), ..self.clone() };
        next.counts.add(&batch.counts(now_ms));
        for (number, count) in batch.mutes() {
            let mute = rules.mutes.iter().find(|mute| mute.number == number);
            match (next.untold.get_mut(&number), mute) {
                (Some(untold), _) => untold.count += count,
                (None, Some(mute)) => drop(next.untold.insert(number, Untold { mute: mute.clone(), count })),
                (None, None) => {}
            }
        }
        // Rules and mutes that are gone are counted no more, only in the sums.
        let untold = &next.untold;
        next.counts.rules.retain(|id, _| rules.rules.iter().any(|rule| rule.id == *id));
        next.counts.mutes.retain(|number, _| {
            untold.contains_key(number) || rules.mutes.iter().any(|mute| mute.number == *number)
        });
        next.marked |= !next.untold.is_empty();
        next.batch = batch;
        next
    }

    /// The same after the batch is over. `stranded` did not leave.
    pub(super) fn without(&self, stranded: &[Hop]) -> Self {
        let mut next = Self { batch: Batch::default(), ..self.clone() };
        for rule in stranded.iter().filter_map(|hop| hop.to.rule) {
            if let Some(hit) = next.counts.rules.get_mut(&rule) {
                hit.count = hit.count.saturating_sub(1);
            }
        }
        next.counts.routed = next.counts.routed.saturating_sub(stranded.len() as u64);
        next
    }
}

/// The place of one channel's sorting record. Every write names the revision that it
/// replaces.
pub(super) struct SortingJournal {
    bucket: Arc<dyn KeyValue>,
    key: String,
    revision: u64,
    pub(super) record: SortingRecord,
}

impl SortingJournal {
    /// Reads the channel's record. A batch of another stream than this one is
    /// forgotten, because the same sequences mean other alerts now.
    pub(super) async fn open(
        bucket: Arc<dyn KeyValue>,
        channel: ChannelId,
        stream: &str,
    ) -> anyhow::Result<Self> {
        let key = sorting_key(channel);
        let Entry { revision, value } = bucket.entry(&key).await.context("cannot read the sorting record")?;
        let read = value.as_deref().map(serde_json::from_slice::<SortingRecord>);
        let mut record = match read {
            None => SortingRecord::default(),
            Some(Ok(record)) if record.v <= VERSION => record,
            Some(_) => {
                metrics::counter!("sentry_bot_records_unreadable_total").increment(1);
                tracing::error!(channel.id = %channel, "another version of this program wrote the sorting record");
                SortingRecord::default()
            }
        };
        if record.stream != stream {
            record.batch = Batch::default();
        }
        Ok(Self { bucket, key, revision, record })
    }

    /// The batch that may be unfinished.
    pub(super) const fn batch(&self) -> &Batch {
        &self.record.batch
    }

    /// Replaces the record.
    ///
    /// # Errors
    /// When NATS is away, or when another owner has written since.
    pub(super) async fn write(&mut self, record: SortingRecord) -> anyhow::Result<()> {
        let value = serde_json::to_vec(&record).context("cannot encode the sorting record")?;
        let written = self.bucket.update(&self.key, value.into(), self.revision).await;
        self.revision = written.context("cannot write the sorting record")?;
        self.record = record;
        Ok(())
    }
}
