//! What a lane calls outside itself. In production that is NATS, Discord and
//! the store. Tests run the same lane on a world in memory that can fail at
//! each call.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use anyhow::ensure;
use async_trait::async_trait;
use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::Value;
use shared::{Alert, ChannelId, GuildId, UserId, trust::ChannelTrust};
use tokio::time::Instant;

use super::known_names::NameBook;
use crate::{
    authority::{AskAgain, Authority, ChannelStanding, Entitlement},
    closure::Access,
    direct_get::{Batch, StoredMessage},
    discord::{Discord, DiscordError, Edited},
    guilds::BotAccess,
    kv,
    rules::ChannelRules,
    stack_trace::{StackTrace, StackTraces},
};

/// Removals under way at once.
const IN_FLIGHT: usize = 64;

/// What the stream's leader says of one subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SubjectState {
    /// When the stream was made, in JetStream's words. This tells it from one that
    /// was made again, in which sequences repeat.
    pub(crate) stream: String,
    /// How many messages are stored.
    pub(crate) messages: usize,
}

/// The stream of waiting alerts.
#[async_trait]
pub(crate) trait AlertStream: Send + Sync {
    /// Waits so long, and then until there is a connection: without one, every
    /// try would only run into its time limit.
    async fn back_after(&self, wait: Duration);
    /// How many messages the subject has, and in which stream, as its leader has it.
    async fn state(&self, subject: &str) -> anyhow::Result<SubjectState>;
    /// The next messages of the subject from this sequence on, in order, so many at
    /// most. They may be fewer than there are.
    async fn read(&self, subject: &str, from: u64, most: usize) -> anyhow::Result<Batch>;
    /// The messages with these sequences that are still there.
    async fn get(&self, sequences: Vec<u64>) -> anyhow::Result<Vec<StoredMessage>>;
    /// Whether the message is still in the stream, as its leader has it.
    async fn still_waits(&self, sequence: u64) -> anyhow::Result<bool>;
    /// The subject's first message from this sequence on, as the stream's leader has it.
    async fn first(&self, subject: &str, from: u64) -> anyhow::Result<Option<StoredMessage>>;
    /// Removes all messages of the subject below this sequence.
    async fn purge(&self, subject: &str, below: u64) -> anyhow::Result<()>;
    /// Removes one message, which may be gone already.
    async fn delete(&self, sequence: u64) -> anyhow::Result<()>;
    /// Stores these in their order, once for each id within JetStream's window. Says
    /// of each whether it is stored. If not, the stream has no room for it.
    async fn publish(&self, copies: Vec<Copy>) -> anyhow::Result<Vec<bool>>;
}

/// A copy of an alert for another channel.
#[derive(Debug)]
pub(crate) struct Copy {
    /// Its `Nats-Msg-Id`.
    pub(crate) id: String,
    pub(crate) alert: Alert,
}

/// How messages of one subject are removed.
#[derive(Debug, PartialEq, Eq)]
struct Removal {
    /// First, with one purge, all below this.
    below: Option<u64>,
    /// Then each of these.
    single: Vec<u64>,
}

impl Removal {
    /// `kept_from` is the lowest sequence of the subject that must stay, if any does.
    fn of(sequences: &BTreeSet<u64>, kept_from: Option<u64>) -> Self {
        let (Some(first), Some(last)) = (sequences.first(), sequences.last()) else {
            return Self { below: None, single: Vec::new() };
        };
        let below = kept_from.map_or(last + 1, |kept| kept.min(last + 1));
        Self { below: (*first < below).then_some(below), single: sequences.range(below..).copied().collect() }
    }
}

impl dyn AlertStream {
    /// Removes messages of this subject for certain. `kept_from` is the lowest
    /// sequence of the subject that must stay, if any.
    ///
    /// Nothing is removed from a stream that was made in place of `read_from`
    /// (see [`SubjectState`]), because its sequences mean other messages. A
    /// stream that is made between this check and the removal begins with
    /// higher sequences.
    ///
    /// # Errors
    /// When NATS is away, or the stream is another one.
    pub(crate) async fn remove(
        &self,
        read_from: &str,
        subject: &str,
        sequences: &BTreeSet<u64>,
        kept_from: Option<u64>,
    ) -> anyhow::Result<()> {
        let Removal { below, single } = Removal::of(sequences, kept_from);
        ensure!(self.state(subject).await?.stream == read_from, "the alerts' stream was made again");
        if let Some(below) = below {
            self.purge(subject, below).await?;
        }
        let deletions: Vec<_> = single.into_iter().map(|sequence| self.delete(sequence)).collect();
        stream::iter(deletions).buffer_unordered(IN_FLIGHT).try_collect().await
    }
}

/// A bucket of NATS's key-value store.
#[async_trait]
pub(crate) trait KeyValue: Send + Sync {
    /// As the bucket's leader has it.
    async fn entry(&self, key: &str) -> anyhow::Result<kv::Entry>;
    /// The same, without the revision.
    async fn get(&self, key: &str) -> anyhow::Result<Option<Bytes>>;
    /// Writes over this revision only, and returns the new one.
    async fn update(&self, key: &str, value: Bytes, revision: u64) -> anyhow::Result<u64>;
    async fn put(&self, key: &str, value: Bytes) -> anyhow::Result<()>;
    async fn purge(&self, key: &str) -> anyhow::Result<()>;
    /// Removes the key if it has this revision.
    async fn purge_revision(&self, key: &str, revision: u64) -> anyhow::Result<()>;
}

#[async_trait]
impl KeyValue for kv::Bucket {
    async fn entry(&self, key: &str) -> anyhow::Result<kv::Entry> {
        self.entry(key).await
    }

    async fn get(&self, key: &str) -> anyhow::Result<Option<Bytes>> {
        self.get(key).await
    }

    async fn update(&self, key: &str, value: Bytes, revision: u64) -> anyhow::Result<u64> {
        Ok(self.update(key, value, revision).await?)
    }

    async fn put(&self, key: &str, value: Bytes) -> anyhow::Result<()> {
        self.put(key, value).await
    }

    async fn purge(&self, key: &str) -> anyhow::Result<()> {
        self.purge(key).await
    }

    async fn purge_revision(&self, key: &str, revision: u64) -> anyhow::Result<()> {
        Ok(self.purge_revision(key, revision).await?)
    }
}

/// Discord's part for the messages of a channel: see [`Discord`].
#[async_trait]
pub(crate) trait MessageApi: Send + Sync {
    async fn post(&self, channel: ChannelId, body: &Value) -> Result<Option<u64>, DiscordError>;
    async fn edit(&self, channel: ChannelId, message: u64, body: &Value) -> Result<Edited, DiscordError>;
    async fn until_free(&self, channel: ChannelId);
    async fn until_edit_free(&self, channel: ChannelId);
    fn used(&self, channel: ChannelId) -> f64;
    fn edit_free_at(&self, channel: ChannelId) -> Instant;
    /// Whether Discord answers requests outside this channel with success.
    async fn others_succeed(&self, channel: ChannelId) -> bool;
    /// Whether a request may be sent that Discord will perhaps refuse.
    fn may_be_refused(&self) -> bool;
}

#[async_trait]
impl MessageApi for Discord {
    async fn post(&self, channel: ChannelId, body: &Value) -> Result<Option<u64>, DiscordError> {
        self.try_create_message(channel, body).await
    }

    async fn edit(&self, channel: ChannelId, message: u64, body: &Value) -> Result<Edited, DiscordError> {
        self.try_edit_message(channel, message, body).await
    }

    async fn until_free(&self, channel: ChannelId) {
        self.until_free(channel).await;
    }

    async fn until_edit_free(&self, channel: ChannelId) {
        self.until_edit_free(channel).await;
    }

    fn used(&self, channel: ChannelId) -> f64 {
        self.used(channel)
    }

    fn edit_free_at(&self, channel: ChannelId) -> Instant {
        self.edit_free_at(channel)
    }

    async fn others_succeed(&self, channel: ChannelId) -> bool {
        self.others_succeed(channel).await
    }

    fn may_be_refused(&self) -> bool {
        self.may_be_refused()
    }
}

/// Where stack traces are kept; see [`StackTraces`].
pub(crate) trait StackTraceKeeper: Send + Sync {
    /// Keeps what the message offers to show. Nothing waits for it, and it may fail.
    fn keep(&self, channel: ChannelId, message: u64, trace: &StackTrace);
}

impl StackTraceKeeper for StackTraces {
    fn keep(&self, channel: ChannelId, message: u64, trace: &StackTrace) {
        self.keep(channel, message, trace);
    }
}

/// Where the names in alerts are noted; see [`NameBook`].
pub(crate) trait NameKeeper: Send + Sync {
    /// Notes the names in an alert that the channel lets in. Nothing waits for it.
    fn note(&self, channel: ChannelId, alert: &Alert);
}

impl NameKeeper for NameBook {
    fn note(&self, channel: ChannelId, alert: &Alert) {
        self.note(channel, alert);
    }
}

/// What the bot may do; see [`BotAccess`].
#[async_trait]
pub(crate) trait AccessApi: Send + Sync {
    async fn of(&self, guild: GuildId, channel: ChannelId) -> anyhow::Result<Access>;
}

#[async_trait]
impl AccessApi for BotAccess {
    async fn of(&self, guild: GuildId, channel: ChannelId) -> anyhow::Result<Access> {
        self.of(guild, channel).await
    }
}

/// Who may post where: see [`Authority`].
#[async_trait]
pub(crate) trait AuthorityApi: Send + Sync {
    async fn standing(&self, channel: ChannelId) -> Result<ChannelStanding, AskAgain>;
    async fn was_authorized(&self, channel: ChannelId) -> anyhow::Result<bool>;
    /// The channel's guild, if it was ever found authorized.
    async fn guild(&self, channel: ChannelId) -> Option<GuildId>;
    /// Whether the channel was deleted, as far as the bot has heard.
    async fn is_deleted(&self, channel: ChannelId) -> anyhow::Result<bool>;
    /// Forgets that Discord did not show the channel.
    async fn forget_hidden(&self, channel: ChannelId);
    async fn trust(&self, channel: ChannelId) -> Result<ChannelTrust, AskAgain>;
    async fn rules(&self, channel: ChannelId) -> Result<Arc<ChannelRules>, AskAgain>;
    async fn entitlement(&self, guild: GuildId, user: UserId, project: &str)
    -> Result<Entitlement, AskAgain>;
}

#[async_trait]
impl AuthorityApi for Authority {
    async fn standing(&self, channel: ChannelId) -> Result<ChannelStanding, AskAgain> {
        self.standing(channel).await
    }

    async fn was_authorized(&self, channel: ChannelId) -> anyhow::Result<bool> {
        self.was_authorized(channel).await
    }

    async fn guild(&self, channel: ChannelId) -> Option<GuildId> {
        self.guild_if_known(channel).await
    }

    async fn is_deleted(&self, channel: ChannelId) -> anyhow::Result<bool> {
        self.is_deleted(channel).await
    }

    async fn forget_hidden(&self, channel: ChannelId) {
        self.forget_hidden(channel).await;
    }

    async fn trust(&self, channel: ChannelId) -> Result<ChannelTrust, AskAgain> {
        self.trust(channel).await
    }

    async fn rules(&self, channel: ChannelId) -> Result<Arc<ChannelRules>, AskAgain> {
        self.rules(channel).await
    }

    async fn entitlement(
        &self,
        guild: GuildId,
        user: UserId,
        project: &str,
    ) -> Result<Entitlement, AskAgain> {
        self.entitlement(guild, user, project).await
    }
}
