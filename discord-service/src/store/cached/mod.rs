//! Remembers what was read, so that an alert seldom costs a request to the store.
//!
//! An answer is used for less than a minute, even while the store is away.
//! After that the next read fails, and nothing is allowed. A write is broadcast
//! on NATS. Every pod that hears it forgets what the write touches, negative
//! answers too. It forgets nothing else: a user who registers and revokes all
//! day must not make the bot read everything again.

mod answers;
mod broadcast;

use std::{collections::BTreeMap, sync::Arc, sync::atomic::Ordering, time::Duration};

use anyhow::Context as _;
use async_nats::{Client, connection::State};
use async_trait::async_trait;
use futures::StreamExt as _;
use shared::{ChannelId, GuildId, RuntimeMode, UserId, trust::ChannelTrust, wire};
use tokio_util::task::AbortOnDropHandle;

use self::{answers::Answers, broadcast::Written};
use super::{ApiKeys, ProjectSlug, Registration, Store, StoreError, WriteOutcome, call::TIME_LIMIT};
use crate::rules::ChannelRules;

/// How long an answer is used: a minute less the time that reading it may take.
pub const TIME_TO_LIVE: Duration = Duration::from_secs(60 - TIME_LIMIT.as_secs());

/// How many channels are remembered. Strangers choose the ids that are asked
/// for; past this number those asked for most often stay.
const MOST_CHANNELS: u64 = 20_000;
/// How many rows of guilds' lists are remembered, and how many rules and mutes.
const MOST_ROWS: u64 = 200_000;

/// A store whose reads are remembered.
pub struct CachedStore {
    store: Arc<dyn Store>,
    nats: Client,
    memory: Arc<Memory>,
    _listener: AbortOnDropHandle<()>,
}

struct Memory {
    listings: Answers<ChannelId, Vec<GuildId>>,
    channels: Answers<GuildId, Vec<ChannelId>>,
    projects: Answers<GuildId, BTreeMap<UserId, String>>,
    trust: Answers<ChannelId, Option<ChannelTrust>>,
    rules: Answers<ChannelId, Arc<ChannelRules>>,
}

impl CachedStore {
    /// Remembers the answers of `store` for `time_to_live` and listens on `nats`
    /// for changes that other processes make.
    ///
    /// # Errors
    /// When the client has been closed.
    pub async fn new(store: Arc<dyn Store>, nats: Client, time_to_live: Duration) -> anyhow::Result<Self> {
        let memory = Arc::new(Memory {
            listings: Answers::new(time_to_live, MOST_CHANNELS, |_| 1),
            channels: Answers::new(time_to_live, MOST_ROWS, Vec::len),
            projects: Answers::new(time_to_live, MOST_ROWS, BTreeMap::len),
            trust: Answers::new(time_to_live, MOST_CHANNELS, |_| 1),
            rules: Answers::new(time_to_live, MOST_ROWS, |kept| kept.rules.len() + kept.mutes.len()),
        });
        // Returns at once, also while NATS is away.
        let mut changes = nats.subscribe(wire::STORE_CHANGED).await.context("cannot listen for changes")?;
        let listening = memory.clone();
        let listener = tokio::spawn(async move {
            while let Some(message) = changes.next().await {
                listening.forget(Written::parse(&message.payload));
            }
        });
        Ok(Self { store, nats, memory, _listener: AbortOnDropHandle::new(listener) })
    }

    /// The number of the connection over which changes are heard, if there is one.
    fn connection(&self) -> Option<u64> {
        let connected = self.nats.connection_state() == State::Connected;
        connected.then(|| self.nats.statistics().connects.load(Ordering::SeqCst))
    }

    /// Tells every pod what was written, unless it is certain that nothing was: a
    /// write whose answer did not come may have been done. A pod that does not hear
    /// of it uses what it remembers for less than a minute.
    async fn announce(&self, written: Written, certainly_not: bool) {
        // In any case, so that what this pod does next agrees with its reply.
        self.memory.forget(Some(written));
        if certainly_not {
            return;
        }
        if let Err(error) = self.nats.publish(wire::STORE_CHANGED, written.to_string().into()).await {
            tracing::warn!(change = %written, %error, "cannot tell the other pods about a change; they see it within a minute");
        }
    }
}

impl Memory {
    /// Forgets what the write touches; everything, when that is not known.
    fn forget(&self, written: Option<Written>) {
        match written {
            Some(Written::Channel(guild, channel)) => {
                self.listings.forget(channel);
                self.channels.forget(guild);
            }
            Some(Written::Projects(guild)) => self.projects.forget(guild),
            Some(Written::Trust(channel)) => self.trust.forget(channel),
            Some(Written::Rules(channel)) => self.rules.forget(channel),
            None => {
                self.listings.forget_all();
                self.channels.forget_all();
                self.projects.forget_all();
                self.trust.forget_all();
                self.rules.forget_all();
            }
        }
    }
}

#[async_trait]
impl Store for CachedStore {
    async fn guilds_listing(&self, channel: ChannelId) -> Result<Vec<GuildId>, StoreError> {
        self.memory.listings.get(self.connection(), channel, self.store.guilds_listing(channel)).await
    }

    async fn channels(&self, guild: GuildId) -> Result<Vec<ChannelId>, StoreError> {
        self.memory.channels.get(self.connection(), guild, self.store.channels(guild)).await
    }

    async fn authorize(&self, guild: GuildId, channel: ChannelId) -> Result<WriteOutcome, StoreError> {
        let change = self.store.authorize(guild, channel).await;
        self.announce(Written::Channel(guild, channel), matches!(change, Ok(WriteOutcome::Unchanged))).await;
        change
    }

    async fn revoke(&self, guild: GuildId, channel: ChannelId) -> Result<WriteOutcome, StoreError> {
        let change = self.store.revoke(guild, channel).await;
        self.announce(Written::Channel(guild, channel), matches!(change, Ok(WriteOutcome::Unchanged))).await;
        change
    }

    async fn projects(&self, guild: GuildId) -> Result<BTreeMap<UserId, String>, StoreError> {
        self.memory.projects.get(self.connection(), guild, self.store.projects(guild)).await
    }

    async fn register(
        &self,
        guild: GuildId,
        user: UserId,
        slug: &ProjectSlug,
    ) -> Result<Registration, StoreError> {
        let registration = self.store.register(guild, user, slug).await;
        self.announce(Written::Projects(guild), matches!(registration, Ok(Registration::Taken(_)))).await;
        registration
    }

    async fn unregister(&self, guild: GuildId, user: UserId) -> Result<Option<String>, StoreError> {
        let slug = self.store.unregister(guild, user).await;
        self.announce(Written::Projects(guild), matches!(slug, Ok(None))).await;
        slug
    }

    async fn trust(&self, channel: ChannelId) -> Result<Option<ChannelTrust>, StoreError> {
        self.memory.trust.get(self.connection(), channel, self.store.trust(channel)).await
    }

    async fn trust_now(&self, channel: ChannelId) -> Result<Option<ChannelTrust>, StoreError> {
        self.store.trust_now(channel).await
    }

    async fn replace_trust(
        &self,
        channel: ChannelId,
        former: Option<&ChannelTrust>,
        latest: &ChannelTrust,
    ) -> Result<bool, StoreError> {
        let replaced = self.store.replace_trust(channel, former, latest).await;
        self.announce(Written::Trust(channel), matches!(replaced, Ok(false))).await;
        replaced
    }

    async fn secured_since(&self, channel: ChannelId) -> Result<Option<i64>, StoreError> {
        self.store.secured_since(channel).await
    }

    async fn note_open(&self, channel: ChannelId) -> Result<(), StoreError> {
        let noted = self.store.note_open(channel).await;
        self.announce(Written::Trust(channel), false).await;
        noted
    }

    async fn channels_with_trust(&self) -> Result<Vec<ChannelId>, StoreError> {
        self.store.channels_with_trust().await
    }

    async fn rules(&self, channel: ChannelId) -> Result<Arc<ChannelRules>, StoreError> {
        self.memory.rules.get(self.connection(), channel, self.store.rules(channel)).await
    }

    async fn rules_now(&self, channel: ChannelId) -> Result<Arc<ChannelRules>, StoreError> {
        self.store.rules_now(channel).await
    }

    async fn replace_rules(
        &self,
        channel: ChannelId,
        former: &ChannelRules,
        latest: &ChannelRules,
    ) -> Result<bool, StoreError> {
        let replaced = self.store.replace_rules(channel, former, latest).await;
        self.announce(Written::Rules(channel), matches!(replaced, Ok(false))).await;
        replaced
    }

    async fn api_keys(&self, mode: RuntimeMode) -> Result<ApiKeys, StoreError> {
        self.store.api_keys(mode).await
    }
}
