//! To which channels the alerts of an issue left their home. Changes of the issue
//! follow them there.

use std::collections::{BTreeSet, HashMap};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use shared::ChannelId;

use super::{issue::IssueKey, ports::KeyValue};

/// The version of an entry. One with another version counts as unknown.
const VERSION: u32 = 1;
/// The most issues under one id, and the most targets of one. The oldest are
/// dropped first.
const MOST: usize = 32;
/// How many issues a lane remembers.
const REMEMBERED: usize = 4_096;

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct SameId {
    v: u32,
    issues: Vec<Routed>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Routed {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    project: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    organization: Option<u64>,
    targets: Vec<ChannelId>,
}

/// The index of one home, in the bucket [`shared::wire::MESSAGES`]. Its lane alone
/// writes it.
pub(super) struct RoutedIssues {
    home: ChannelId,
    /// What is known of the issues that were asked for last.
    known: HashMap<IssueKey, BTreeSet<ChannelId>>,
}

impl RoutedIssues {
    pub(super) fn new(home: ChannelId) -> Self {
        Self { home, known: HashMap::new() }
    }

    /// The targets that have alerts of the issue.
    pub(super) async fn targets(
        &mut self,
        bucket: &dyn KeyValue,
        issue: &IssueKey,
    ) -> anyhow::Result<BTreeSet<ChannelId>> {
        if let Some(known) = self.known.get(issue) {
            return Ok(known.clone());
        }
        let same = self.read(bucket, issue).await?;
        let routed = same.issues.iter().filter(|routed| issue.agrees(routed.project, routed.organization));
        let targets: BTreeSet<_> = routed.flat_map(|routed| routed.targets.iter().copied()).collect();
        self.remember(issue).extend(targets.iter().copied());
        Ok(targets)
    }

    /// Notes that alerts of the issue go to this target, before the first one does.
    pub(super) async fn add(
        &mut self,
        bucket: &dyn KeyValue,
        issue: &IssueKey,
        target: ChannelId,
    ) -> anyhow::Result<()> {
        if self.targets(bucket, issue).await?.contains(&target) {
            return Ok(());
        }
        let mut same = self.read(bucket, issue).await?;
        let own = |routed: &&mut Routed| {
            (routed.project, routed.organization) == (issue.project, issue.organization)
        };
        match same.issues.iter_mut().find(own) {
            Some(routed) => routed.targets.push(target),
            None => same.issues.push(Routed {
                project: issue.project,
                organization: issue.organization,
                targets: vec![target],
            }),
        }
        same.v = VERSION;
        same.issues.drain(..same.issues.len().saturating_sub(MOST));
        for routed in &mut same.issues {
            routed.targets.drain(..routed.targets.len().saturating_sub(MOST));
        }
        let value = serde_json::to_vec(&same).context("cannot encode where an issue's alerts are")?;
        let written = bucket.put(&self.key(issue), value.into()).await;
        written.context("cannot note where an issue's alerts are")?;
        // The same issue may be known by fewer details.
        self.known.retain(|other, _| !other.is(issue));
        Ok(())
    }

    async fn read(&self, bucket: &dyn KeyValue, issue: &IssueKey) -> anyhow::Result<SameId> {
        let value = bucket.get(&self.key(issue)).await.context("cannot read where an issue's alerts are")?;
        let same: Option<SameId> = value.and_then(|value| serde_json::from_slice(&value).ok());
        Ok(same.filter(|same| same.v == VERSION).unwrap_or_default())
    }

    fn remember(&mut self, issue: &IssueKey) -> &mut BTreeSet<ChannelId> {
        if self.known.len() >= REMEMBERED && !self.known.contains_key(issue) {
            self.known.clear();
        }
        self.known.entry(*issue).or_default()
    }

    fn key(&self, issue: &IssueKey) -> String {
        format!("{}.routed.{}", self.home, issue.id())
    }
}
