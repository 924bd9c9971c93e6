//! Which messages of Discord show which issue, and what they show: kept so that
//! a change of an issue can be told where the issue was told of.
//!
//! Nothing here decides whether an alert is delivered. What is forgotten (by
//! age, by size, or because it could not be written) costs an edit: the change
//! is then a message of its own.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use anyhow::Context as _;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use shared::ChannelId;

use super::{issue::IssueKey, ports::Bucket};
use crate::render::{self, Change, Exhibit, Style};

/// The version of what a message shows. What another build wrote is not known.
const VERSION: u32 = 1;
/// The version of the index of issues.
const INDEX_VERSION: u32 = 2;
/// Issues that are kept under one id; the oldest go first.
const SAME_ID: usize = 16;
/// Reads and writes under way at once.
const IN_FLIGHT: usize = 16;

/// The messages in which an issue is kept up to date.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    project: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    organization: Option<u64>,
    /// The first about the issue, and the newest that told that it is back.
    pub(crate) messages: Vec<u64>,
}

impl Entry {
    fn new(issue: &IssueKey, message: u64) -> Self {
        Self { project: issue.project, organization: issue.organization, messages: vec![message] }
    }

    /// Takes in a newer message about the issue; whether it is new to it.
    fn add(&mut self, issue: &IssueKey, message: u64) -> bool {
        let Some(first) = self.messages.first().copied() else { return false };
        if self.messages.contains(&message) {
            return false;
        }
        self.messages = vec![first, message];
        self.project = self.project.or(issue.project);
        self.organization = self.organization.or(issue.organization);
        true
    }
}

/// What stands under one id: seldom more than one issue, since ids are unique
/// within one Sentry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct SameId {
    v: u32,
    issues: Vec<Entry>,
}

impl Default for SameId {
    fn default() -> Self {
        Self { v: INDEX_VERSION, issues: Vec::new() }
    }
}

impl SameId {
    /// The entry of the issue: that of the very same before one that may be.
    fn position(&self, issue: &IssueKey) -> Option<usize> {
        let exact =
            |entry: &Entry| (entry.project, entry.organization) == (issue.project, issue.organization);
        let may_be = |entry: &Entry| issue.agrees(entry.project, entry.organization);
        self.issues.iter().position(exact).or_else(|| self.issues.iter().position(may_be))
    }

    /// Takes in a message about the issue, if it is the first or `is_news`;
    /// whether that changed anything.
    fn add(&mut self, issue: &IssueKey, message: u64, is_news: bool) -> bool {
        match self.position(issue).and_then(|position| self.issues.get_mut(position)) {
            Some(entry) => is_news && entry.add(issue, message),
            None => {
                self.issues.push(Entry::new(issue, message));
                let surplus = self.issues.len().saturating_sub(SAME_ID);
                self.issues.drain(..surplus);
                true
            }
        }
    }
}

/// What one message shows: all that it takes to edit one of its embeds and keep
/// the others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Shown {
    v: u32,
    /// What each of its embeds was cut to.
    max_chars: usize,
    embeds: Vec<ShownEmbed>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct ShownEmbed {
    exhibit: Exhibit,
}

impl ShownEmbed {
    fn issue(&self) -> Option<IssueKey> {
        IssueKey::of(&self.exhibit.folded.latest)
    }

    fn is_about(&self, issue: &IssueKey) -> bool {
        self.issue().is_some_and(|own| own.is(issue))
    }
}

impl Shown {
    pub(crate) fn new(max_chars: usize, exhibits: Vec<Exhibit>) -> Self {
        let embeds = exhibits.into_iter().map(|exhibit| ShownEmbed { exhibit }).collect();
        Self { v: VERSION, max_chars, embeds }
    }

    /// The issues in it.
    pub(crate) fn issues(&self) -> BTreeSet<IssueKey> {
        self.embeds.iter().filter_map(ShownEmbed::issue).collect()
    }

    /// What it shows of this issue.
    pub(crate) fn of_issue(&self, issue: &IssueKey) -> Option<&Exhibit> {
        self.embeds.iter().find(|embed| embed.is_about(issue)).map(|embed| &embed.exhibit)
    }

    /// Takes in a change of an issue; whether that makes a difference.
    pub(crate) fn add(&mut self, issue: &IssueKey, change: &Change) -> bool {
        let concerned = self.embeds.iter_mut().filter(|embed| embed.is_about(issue));
        concerned.fold(false, |news, embed| news | embed.exhibit.add(change))
    }

    /// The body of the request that makes the message show this.
    pub(crate) fn body(&self, style: &Style) -> Value {
        render::edit(self.embeds.iter().map(|embed| &embed.exhibit), style, self.max_chars)
    }

    /// The issues in it, and whether it tells of each that it is new or back.
    fn told(&self) -> impl Iterator<Item = (IssueKey, bool)> {
        self.embeds.iter().filter_map(|embed| {
            let alert = &embed.exhibit.folded.latest;
            let is_return = Change::of(alert).is_some_and(|change| change.is_return());
            Some((embed.issue()?, is_return || alert.kind == "issue.created"))
        })
    }
}

/// The bucket [`shared::wire::MESSAGES`]. A channel's entries are written by its
/// lane alone. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Messages {
    bucket: Arc<dyn Bucket>,
}

impl Messages {
    pub(crate) fn new(bucket: Arc<dyn Bucket>) -> Self {
        Self { bucket }
    }

    /// Where the issue is kept up to date, if it is known.
    pub(crate) async fn entry(&self, channel: ChannelId, issue: &IssueKey) -> anyhow::Result<Option<Entry>> {
        let mut same = self.same_id(&issue_key(channel, issue)).await?;
        match same.position(issue) {
            Some(position) => Ok(Some(same.issues.swap_remove(position))),
            None => self.former_entry(channel, issue).await,
        }
    }

    /// The same as a build before this one wrote it down.
    async fn former_entry(&self, channel: ChannelId, issue: &IssueKey) -> anyhow::Result<Option<Entry>> {
        #[derive(Deserialize)]
        struct Former {
            messages: Vec<u64>,
        }
        let former: Option<Former> = self.read(&former_key(channel, issue)).await?;
        let entry = |Former { messages }| Entry { messages, ..Entry::new(issue, 0) };
        Ok(former.map(entry).filter(|entry| !entry.messages.is_empty()))
    }

    /// What the message shows, if it is known.
    pub(crate) async fn shown(&self, channel: ChannelId, message: u64) -> anyhow::Result<Option<Shown>> {
        let shown: Option<Shown> = self.read(&message_key(channel, message)).await?;
        Ok(shown.filter(|shown| shown.v == VERSION))
    }

    /// Writes down what a message shows after an edit.
    pub(crate) async fn write(&self, channel: ChannelId, message: u64, shown: &Shown) -> anyhow::Result<()> {
        self.put(&message_key(channel, message), shown).await
    }

    /// Writes down a new message, for the issues that are to be kept up to date
    /// in it: those that nobody told of before, and those that it says are new or
    /// back. Doing so again changes nothing.
    pub(crate) async fn remember(
        &self,
        channel: ChannelId,
        message: u64,
        shown: &Shown,
    ) -> anyhow::Result<()> {
        let keys: BTreeSet<String> = shown.issues().iter().map(|issue| issue_key(channel, issue)).collect();
        let reads = keys.into_iter().map(|key| async move { anyhow::Ok((self.same_id(&key).await?, key)) });
        let reads: Vec<_> = reads.collect();
        let known: Vec<(SameId, String)> = stream::iter(reads).buffered(IN_FLIGHT).try_collect().await?;
        let mut known: BTreeMap<String, SameId> = known.into_iter().map(|(same, key)| (key, same)).collect();
        let mut changed = BTreeSet::new();
        for (issue, is_news) in shown.told() {
            let key = issue_key(channel, &issue);
            if known.entry(key.clone()).or_default().add(&issue, message, is_news) {
                changed.insert(key);
            }
        }
        if changed.is_empty() {
            return Ok(());
        }
        // First what they point to.
        self.write(channel, message, shown).await?;
        known.retain(|key, _| changed.contains(key));
        let writes: Vec<_> = known.iter().map(|(key, same)| self.put(key, same)).collect();
        stream::iter(writes).buffer_unordered(IN_FLIGHT).try_collect().await
    }

    /// The message cannot be edited (any more).
    pub(crate) async fn forget_message(&self, channel: ChannelId, message: u64) -> anyhow::Result<()> {
        self.bucket.purge(&message_key(channel, message)).await.context("cannot forget a message")
    }

    /// No message that shows the issue is known any more.
    pub(crate) async fn forget_issue(&self, channel: ChannelId, issue: &IssueKey) -> anyhow::Result<()> {
        let key = issue_key(channel, issue);
        let mut same = self.same_id(&key).await?;
        let Some(position) = same.position(issue) else {
            return self.bucket.purge(&former_key(channel, issue)).await.context("cannot forget an issue");
        };
        same.issues.remove(position);
        match same.issues.is_empty() {
            true => self.bucket.purge(&key).await.context("cannot forget an issue"),
            false => self.put(&key, &same).await,
        }
    }

    async fn same_id(&self, key: &str) -> anyhow::Result<SameId> {
        let same: Option<SameId> = self.read(key).await?;
        Ok(same.filter(|same| same.v == INDEX_VERSION).unwrap_or_default())
    }

    /// What cannot be read is as good as nothing: no channel is to stand still for an edit.
    async fn read<T: for<'a> Deserialize<'a>>(&self, key: &str) -> anyhow::Result<Option<T>> {
        let value = self.bucket.get(key).await.unwrap_or_else(|error| {
            tracing::debug!("what a message shows is not known: {error:#}");
            None
        });
        Ok(value.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
    }

    async fn put<T: Serialize + Sync>(&self, key: &str, value: &T) -> anyhow::Result<()> {
        let value = serde_json::to_vec(value).context("cannot encode what a message shows")?;
        self.bucket.put(key, value.into()).await.context("cannot write down what a message shows")
    }
}

fn issue_key(channel: ChannelId, issue: &IssueKey) -> String {
    format!("{channel}.issue.{}", issue.id())
}

/// Where a build before this one wrote an issue down.
fn former_key(channel: ChannelId, issue: &IssueKey) -> String {
    format!("{channel}.{}", issue.former())
}

fn message_key(channel: ChannelId, message: u64) -> String {
    format!("{channel}.message.{message}")
}

#[cfg(test)]
mod tests {
    use shared::{Alert, alert::UNKNOWN_PROJECT};

    use super::*;

    fn issue(project: &str) -> IssueKey {
        let alert = Alert::new("error", project, ChannelId::new(1), 0);
        IssueKey::of(&Alert { issue_id: Some("7".to_owned()), ..alert }).expect("it names one")
    }

    #[test]
    fn an_entry_keeps_the_first_message_and_the_newest() {
        let mut same = SameId::default();
        assert!(same.add(&issue("shop"), 1, false) && same.add(&issue("shop"), 2, true));
        assert!(!same.add(&issue("shop"), 3, false), "another event of the same issue");
        assert!(same.add(&issue("shop"), 4, true));
        assert_eq!(same.issues[0].messages, [1, 4]);
        assert!(!same.add(&issue("shop"), 1, true) && !same.add(&issue("shop"), 4, true));
    }

    #[test]
    fn issues_with_one_id_are_told_apart_where_that_is_known() {
        let mut same = SameId::default();
        assert!(same.add(&issue("shop"), 1, false) && same.add(&issue("web"), 2, false));
        assert_eq!(same.position(&issue("web")), Some(1));
        assert_eq!(same.position(&issue(UNKNOWN_PROJECT)), Some(0));
        assert_eq!(same.position(&issue("api")), None);
        for number in 0..2 * SAME_ID as u64 {
            same.add(&issue(&number.to_string()), number, false);
        }
        assert_eq!(same.issues.len(), SAME_ID);
    }
}
