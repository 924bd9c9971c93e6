//! Which messages of Discord show which issue, and what they show: kept so that
//! a change of an issue can be told where the issue was told of.
//!
//! Nothing here decides whether an alert is delivered. What is forgotten (by
//! age, by size, or because it could not be written) costs an edit: the change
//! is then a message of its own.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use shared::{Alert, ChannelId};
use url::Url;

use crate::{
    leader::Bucket,
    render::{self, Change, Exhibit, Style},
};

/// The version of what this build writes. What another one wrote is not known.
const VERSION: u32 = 1;

/// Names an issue among those of all Sentrys: its id there, and the host that it
/// is seen at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub(crate) struct IssueKey([u8; 16]);

impl IssueKey {
    /// The issue of this alert, if it names one.
    pub(crate) fn of(alert: &Alert) -> Option<Self> {
        let id = alert.issue_id.as_deref()?;
        let url = alert.url.as_deref().and_then(|url| Url::parse(url.trim()).ok());
        let host = url.as_ref().and_then(Url::host_str).unwrap_or_default();
        let port = url.as_ref().and_then(Url::port).unwrap_or_default();
        let digest = Sha256::digest(format!("{host}\0{port}\0{id}"));
        let mut key = [0; 16];
        key.copy_from_slice(&digest[..16]);
        Some(Self(key))
    }
}

impl fmt::Display for IssueKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl From<IssueKey> for String {
    fn from(key: IssueKey) -> Self {
        key.to_string()
    }
}

impl TryFrom<String> for IssueKey {
    type Error = hex::FromHexError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let mut key = [0; 16];
        hex::decode_to_slice(text, &mut key).map(|()| Self(key))
    }
}

/// The messages in which an issue is kept up to date.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    v: u32,
    /// The first about the issue, and the newest that told that it is back.
    pub(crate) messages: Vec<u64>,
}

impl Entry {
    pub(crate) fn new(message: u64) -> Self {
        Self { v: VERSION, messages: vec![message] }
    }

    /// The same with a newer message; `None` where it knows it already.
    pub(crate) fn with(&self, message: u64) -> Option<Self> {
        let first = *self.messages.first()?;
        (!self.messages.contains(&message)).then(|| Self { v: VERSION, messages: vec![first, message] })
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    issue: Option<IssueKey>,
    exhibit: Exhibit,
}

impl Shown {
    pub(crate) fn new(max_chars: usize, exhibits: Vec<Exhibit>) -> Self {
        let embeds = exhibits.into_iter();
        let embeds =
            embeds.map(|exhibit| ShownEmbed { issue: IssueKey::of(&exhibit.folded.latest), exhibit });
        Self { v: VERSION, max_chars, embeds: embeds.collect() }
    }

    /// The issues in it.
    pub(crate) fn issues(&self) -> BTreeSet<IssueKey> {
        self.embeds.iter().filter_map(|embed| embed.issue).collect()
    }

    /// What it shows of this issue.
    pub(crate) fn of_issue(&self, issue: IssueKey) -> Option<&Exhibit> {
        self.embeds.iter().find(|embed| embed.issue == Some(issue)).map(|embed| &embed.exhibit)
    }

    /// Takes in a change of an issue; whether that makes a difference.
    pub(crate) fn add(&mut self, issue: IssueKey, change: &Change) -> bool {
        let concerned = self.embeds.iter_mut().filter(|embed| embed.issue == Some(issue));
        concerned.fold(false, |news, embed| news | embed.exhibit.add(change))
    }

    /// The body of the request that makes the message show this.
    pub(crate) fn body(&self, style: &Style) -> Value {
        render::edit(self.embeds.iter().map(|embed| &embed.exhibit), style, self.max_chars)
    }

    /// The issues that are kept up to date in a new message with this, given
    /// where they are `known`: those that nobody told of before, and those that
    /// it says are new or back.
    pub(crate) fn entries(
        &self,
        message: u64,
        known: impl Fn(&IssueKey) -> Option<Entry>,
    ) -> impl Iterator<Item = (IssueKey, Entry)> {
        self.embeds.iter().filter_map(move |embed| {
            let issue = embed.issue?;
            let alert = &embed.exhibit.folded.latest;
            let is_return = Change::of(alert).is_some_and(|change| change.is_return());
            let entry = match known(&issue) {
                None => Entry::new(message),
                Some(known) if is_return || alert.kind == "issue.created" => known.with(message)?,
                Some(_) => return None,
            };
            Some((issue, entry))
        })
    }
}

/// The bucket [`shared::wire::MESSAGES`]. A channel's entries are written by its
/// lane alone. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Messages {
    bucket: Bucket,
}

impl Messages {
    pub(crate) const fn new(bucket: Bucket) -> Self {
        Self { bucket }
    }

    /// Where the issue is kept up to date, if it is known.
    pub(crate) async fn entry(&self, channel: ChannelId, issue: IssueKey) -> anyhow::Result<Option<Entry>> {
        let entry: Option<Entry> = self.read(&format!("{channel}.{issue}")).await?;
        Ok(entry.filter(|entry| entry.v == VERSION))
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
    /// in it. Doing so again changes nothing.
    pub(crate) async fn remember(
        &self,
        channel: ChannelId,
        message: u64,
        shown: &Shown,
    ) -> anyhow::Result<()> {
        let mut known = HashMap::new();
        for issue in shown.issues() {
            known.extend(self.entry(channel, issue).await?.map(|entry| (issue, entry)));
        }
        let entries: BTreeMap<_, _> = shown.entries(message, |issue| known.get(issue).cloned()).collect();
        if entries.is_empty() {
            return Ok(());
        }
        // First what they point to.
        self.write(channel, message, shown).await?;
        for (issue, entry) in entries {
            self.put(&format!("{channel}.{issue}"), &entry).await?;
        }
        Ok(())
    }

    /// The message cannot be edited (any more).
    pub(crate) async fn forget_message(&self, channel: ChannelId, message: u64) -> anyhow::Result<()> {
        let purged = self.bucket.purge(&message_key(channel, message)).await;
        purged.context("cannot forget a message")
    }

    /// No message that shows the issue is known any more.
    pub(crate) async fn forget_issue(&self, channel: ChannelId, issue: IssueKey) -> anyhow::Result<()> {
        self.bucket.purge(&format!("{channel}.{issue}")).await.context("cannot forget an issue")
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

fn message_key(channel: ChannelId, message: u64) -> String {
    format!("{channel}.message.{message}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(url: Option<&str>, issue: &str) -> Option<IssueKey> {
        let alert = Alert::new("error", "backend", ChannelId::new(1), 0);
        IssueKey::of(&Alert { url: url.map(str::to_owned), issue_id: Some(issue.to_owned()), ..alert })
    }

    #[test]
    fn an_issue_is_the_same_at_every_page_of_one_sentry_and_another_elsewhere() {
        let here = key(Some("https://acme.sentry.io/issues/7/?referrer=webhooks_plugin"), "7");
        assert_eq!(here, key(Some("https://ACME.sentry.io/issues/7/events/0a1b/"), "7"));
        assert_ne!(here, key(Some("https://acme.sentry.io/issues/8/"), "8"));
        assert_ne!(here, key(Some("https://sentry.acme.example/issues/7/"), "7"));
        assert_ne!(
            key(Some("http://10.0.0.5:9000/issues/7/"), "7"),
            key(Some("http://10.0.0.5/issues/7/"), "7")
        );
        assert!(key(None, "*.> /").is_some_and(|key| key.to_string().bytes().all(|b| b.is_ascii_hexdigit())));
    }

    #[test]
    fn an_entry_keeps_the_first_message_and_the_newest() {
        let entry = Entry::new(1).with(2).and_then(|entry| entry.with(3)).expect("both are new to it");
        assert_eq!(entry.messages, [1, 3]);
        assert_eq!((entry.with(1), entry.with(3)), (None, None));
    }
}
