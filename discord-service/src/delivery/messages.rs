//! Which messages of Discord show which issue, and what they show. So a change
//! of an issue can be shown in the earlier message.
//!
//! Nothing here decides whether an alert is delivered. An entry may be
//! forgotten by age or by size, or because it could not be written. Then a
//! change becomes a message of its own.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use anyhow::Context as _;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use shared::{Alert, ChannelId};

use super::{
    issue::{IssueKey, is_beginning, is_remark},
    issue_index::{IssueMessages, SameId},
    ports::KeyValue,
};
use crate::render::{self, Change, Exhibit, Style};

/// The version of what a message shows. An entry with another version counts as
/// unknown.
const VERSION: u32 = 1;
/// Reads and writes under way at once.
const IN_FLIGHT: usize = 16;

/// What one message shows: everything needed to edit one of its embeds and keep
/// the others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ShownMessage {
    v: u32,
    /// The length to which each embed was cut.
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

impl ShownMessage {
    pub(crate) fn new(max_chars: usize, exhibits: Vec<Exhibit>) -> Self {
        let embeds = exhibits.into_iter().map(|exhibit| ShownEmbed { exhibit }).collect();
        Self { v: VERSION, max_chars, embeds }
    }

    /// The issues in it.
    pub(crate) fn issues(&self) -> BTreeSet<IssueKey> {
        self.embeds.iter().filter_map(ShownEmbed::issue).collect()
    }

    /// What it shows about this issue.
    pub(crate) fn of_issue(&self, issue: &IssueKey) -> Option<&Exhibit> {
        self.embeds.iter().find(|embed| embed.is_about(issue)).map(|embed| &embed.exhibit)
    }

    /// An alert of this message that names the issue by more than its id.
    pub(crate) fn naming(&self, issue: &IssueKey) -> Option<&Alert> {
        naming(self.embeds.iter().map(|embed| &embed.exhibit), issue)
    }

    /// Adds a change of an issue. Returns whether that changes the message.
    pub(crate) fn add(&mut self, issue: &IssueKey, change: &Change) -> bool {
        let concerned = self.embeds.iter_mut().filter(|embed| embed.is_about(issue));
        concerned.fold(false, |news, embed| news | embed.exhibit.add(change))
    }

    /// The body of the request that makes the message show this.
    pub(crate) fn body(&self, style: &Style) -> Value {
        render::edit(self.embeds.iter().map(|embed| &embed.exhibit), style, self.max_chars)
    }

    /// The issues in it, and whether it says that each is new or back. It
    /// leaves out remarks, which have neither level nor title of their issue.
    fn told(&self) -> impl Iterator<Item = (IssueKey, bool)> {
        self.embeds.iter().filter_map(|embed| {
            let alert = &embed.exhibit.folded.latest;
            if is_remark(alert) {
                return None;
            }
            let is_return = Change::of(alert).is_some_and(|change| change.is_return());
            Some((embed.issue()?, is_return || is_beginning(alert)))
        })
    }
}

/// The first alert of these that names the issue by more than its id.
pub(super) fn naming<'a>(
    exhibits: impl IntoIterator<Item = &'a Exhibit>,
    issue: &IssueKey,
) -> Option<&'a Alert> {
    let alerts = exhibits.into_iter().map(|exhibit| &exhibit.folded.latest);
    alerts
        .filter(|alert| !is_remark(alert))
        .find(|alert| IssueKey::of(alert).is_some_and(|own| own.is(issue)))
}

/// The bucket [`shared::wire::MESSAGES`]. A channel's entries are written by its
/// lane alone. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Messages {
    bucket: Arc<dyn KeyValue>,
}

impl Messages {
    pub(crate) fn new(bucket: Arc<dyn KeyValue>) -> Self {
        Self { bucket }
    }

    /// The bucket itself.
    pub(crate) fn bucket(&self) -> &dyn KeyValue {
        &*self.bucket
    }

    /// The messages that keep the issue up to date, if known.
    pub(crate) async fn entry(
        &self,
        channel: ChannelId,
        issue: &IssueKey,
    ) -> anyhow::Result<Option<IssueMessages>> {
        let mut same = self.same_id(&issue_key(channel, issue)).await?;
        match same.position(issue) {
            Some(position) => Ok(Some(same.remove(position))),
            None => self.former_entry(channel, issue).await,
        }
    }

    /// The same, as written by an older build.
    async fn former_entry(
        &self,
        channel: ChannelId,
        issue: &IssueKey,
    ) -> anyhow::Result<Option<IssueMessages>> {
        #[derive(Deserialize)]
        struct Former {
            messages: Vec<u64>,
        }
        let former: Option<Former> = self.read(&former_key(channel, issue)).await?;
        let known = former.map(|former| former.messages).filter(|messages| !messages.is_empty());
        Ok(known.map(|messages| IssueMessages::new(issue, messages)))
    }

    /// What the message shows, if it is known.
    pub(crate) async fn shown(
        &self,
        channel: ChannelId,
        message: u64,
    ) -> anyhow::Result<Option<ShownMessage>> {
        let shown: Option<ShownMessage> = self.read(&message_key(channel, message)).await?;
        Ok(shown.filter(|shown| shown.v == VERSION))
    }

    /// Writes down what a message shows after an edit.
    pub(crate) async fn write(
        &self,
        channel: ChannelId,
        message: u64,
        shown: &ShownMessage,
    ) -> anyhow::Result<()> {
        self.put(&message_key(channel, message), shown).await
    }

    /// Writes down a new message, for the issues that it will keep up to date.
    /// Those are the issues without an earlier message, and those that it calls
    /// new or back. Doing so twice changes nothing.
    pub(crate) async fn remember(
        &self,
        channel: ChannelId,
        message: u64,
        shown: &ShownMessage,
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
        // First what the entries point to.
        self.write(channel, message, shown).await?;
        known.retain(|key, _| changed.contains(key));
        let writes: Vec<_> = known.iter().map(|(key, same)| self.put(key, same)).collect();
        stream::iter(writes).buffer_unordered(IN_FLIGHT).try_collect().await
    }

    /// Forgets a message that cannot be edited.
    pub(crate) async fn forget_message(&self, channel: ChannelId, message: u64) -> anyhow::Result<()> {
        self.bucket.purge(&message_key(channel, message)).await.context("cannot forget a message")
    }

    /// Forgets the issue's messages.
    pub(crate) async fn forget_issue(&self, channel: ChannelId, issue: &IssueKey) -> anyhow::Result<()> {
        let key = issue_key(channel, issue);
        let mut same = self.same_id(&key).await?;
        let Some(position) = same.position(issue) else {
            return self.bucket.purge(&former_key(channel, issue)).await.context("cannot forget an issue");
        };
        same.remove(position);
        match same.is_empty() {
            true => self.bucket.purge(&key).await.context("cannot forget an issue"),
            false => self.put(&key, &same).await,
        }
    }

    async fn same_id(&self, key: &str) -> anyhow::Result<SameId> {
        let same: Option<SameId> = self.read(key).await?;
        Ok(same.filter(SameId::is_known).unwrap_or_default())
    }

    /// A value that cannot be read counts as absent, because no channel may
    /// stop for an edit.
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

/// The key of an issue in older builds.
fn former_key(channel: ChannelId, issue: &IssueKey) -> String {
    format!("{channel}.{}", issue.former())
}

fn message_key(channel: ChannelId, message: u64) -> String {
    format!("{channel}.message.{message}")
}
