//! To which channels the alerts of an issue left their home. Changes of the issue
//! follow them there.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use anyhow::Context as _;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde::{Deserialize, Serialize};
use shared::ChannelId;

use super::{issue::IssueKey, ports::KeyValue};

/// The version of an entry. One with another version counts as unknown.
const VERSION: u32 = 1;
/// The most issues under one id, and the most targets of one. The oldest are
/// dropped first.
const MOST: usize = 32;
/// How many entries a lane remembers.
const REMEMBERED: usize = 4_096;
/// Reads and writes under way at once.
const IN_FLIGHT: usize = 64;

/// The issues that share an id.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
struct SameId {
    v: u32,
    issues: Vec<Routed>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Routed {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    project: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    organization: Option<u64>,
    targets: Vec<ChannelId>,
}

impl SameId {
    fn targets(&self, issue: &IssueKey) -> BTreeSet<ChannelId> {
        let routed = self.issues.iter().filter(|routed| issue.agrees(routed.project, routed.organization));
        routed.flat_map(|routed| routed.targets.iter().copied()).collect()
    }

    fn add(&mut self, issue: &IssueKey, target: ChannelId) {
        let own = |routed: &&mut Routed| {
            (routed.project, routed.organization) == (issue.project, issue.organization)
        };
        match self.issues.iter_mut().find(own) {
            Some(routed) => routed.targets.push(target),
            None => self.issues.push(Routed {
                project: issue.project,
                organization: issue.organization,
                targets: vec![target],
            }),
        }
        self.v = VERSION;
        self.issues.drain(..self.issues.len().saturating_sub(MOST));
        for routed in &mut self.issues {
            routed.targets.drain(..routed.targets.len().saturating_sub(MOST));
        }
    }
}

/// The index of one home, in the bucket [`shared::wire::MESSAGES`]. Its lane alone
/// writes it.
pub(super) struct RoutedIssues {
    home: ChannelId,
    /// The entries that were used last, by their issues' id.
    known: HashMap<String, SameId>,
}

impl RoutedIssues {
    pub(super) fn new(home: ChannelId) -> Self {
        Self { home, known: HashMap::new() }
    }

    /// The targets that have alerts of each issue.
    pub(super) async fn targets(
        &mut self,
        bucket: &dyn KeyValue,
        issues: &BTreeSet<IssueKey>,
    ) -> anyhow::Result<BTreeMap<IssueKey, BTreeSet<ChannelId>>> {
        self.learn(bucket, issues).await?;
        let of = |issue: &IssueKey| self.known.get(&issue.id()).map(|same| same.targets(issue));
        Ok(issues.iter().map(|issue| (*issue, of(issue).unwrap_or_default())).collect())
    }

    /// Notes that alerts of these issues go to these targets, before the first one
    /// does.
    pub(super) async fn add(
        &mut self,
        bucket: &dyn KeyValue,
        routed: &BTreeSet<(IssueKey, ChannelId)>,
    ) -> anyhow::Result<()> {
        self.learn(bucket, &routed.iter().map(|(issue, _)| *issue).collect()).await?;
        let mut changed: HashMap<String, SameId> = HashMap::new();
        for (issue, target) in routed {
            let id = issue.id();
            let same = changed.get(&id).or_else(|| self.known.get(&id));
            if same.is_none_or(|same| !same.targets(issue).contains(target)) {
                let mut same = same.cloned().unwrap_or_default();
                same.add(issue, *target);
                changed.insert(id, same);
            }
        }
        let writes = changed.into_iter().map(|(id, same)| async {
            let value = serde_json::to_vec(&same).context("cannot encode where an issue's alerts are")?;
            let written = bucket.put(&self.key(&id), value.into()).await;
            written.context("cannot note where an issue's alerts are")?;
            anyhow::Ok((id, same))
        });
        let writes: Vec<_> = writes.collect();
        let written: Vec<_> = stream::iter(writes).buffer_unordered(IN_FLIGHT).try_collect().await?;
        self.known.extend(written);
        Ok(())
    }

    /// Reads the entries of these issues that are not known.
    async fn learn(&mut self, bucket: &dyn KeyValue, issues: &BTreeSet<IssueKey>) -> anyhow::Result<()> {
        let ids: BTreeSet<String> = issues.iter().map(IssueKey::id).collect();
        if self.known.len() + ids.len() > REMEMBERED {
            self.known.clear();
        }
        let unknown = ids.into_iter().filter(|id| !self.known.contains_key(id));
        let reads = unknown.map(|id| async {
            let value = bucket.get(&self.key(&id)).await;
            let value = value.context("cannot read where an issue's alerts are")?;
            let same: Option<SameId> = value.and_then(|value| serde_json::from_slice(&value).ok());
            anyhow::Ok((id, same.filter(|same| same.v == VERSION).unwrap_or_default()))
        });
        let reads: Vec<_> = reads.collect();
        let read: Vec<_> = stream::iter(reads).buffer_unordered(IN_FLIGHT).try_collect().await?;
        self.known.extend(read);
        Ok(())
    }

    fn key(&self, id: &str) -> String {
        format!("{}.routed.{id}", self.home)
    }
}
