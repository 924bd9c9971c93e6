//! Who may post where, kept outside the process. One trait, two stores:
//! Firestore with the predecessor's documents, and NATS KV.

mod cached;
mod call;
mod channel_document;
mod firestore;
mod keys;
mod nats;
mod slug;

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use secrecy::SecretString;
use shared::{ChannelId, GuildId, RuntimeMode, UserId, trust::ChannelTrust};

use crate::{rules::ChannelRules, settings::Settings};

pub(crate) use self::call::{WRITE_ATTEMPTS, after_conflict};
pub use self::{
    cached::{CachedStore, TIME_TO_LIVE},
    firestore::FirestoreStore,
    keys::{Keys, given_keys, keys},
    nats::NatsStore,
    slug::{InvalidSlug, ProjectSlug},
};

/// The store could not be asked: away, too slow, or what it holds cannot be
/// read. Nothing is let through on this; try again later.
#[derive(Debug, thiserror::Error)]
#[error("the store is unavailable: {0:#}")]
pub struct StoreError(#[from] pub anyhow::Error);

/// Whether a write changed anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteOutcome {
    /// It did.
    Changed,
    /// It was so already.
    Unchanged,
}

/// The outcome of registering a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Registration {
    /// The slug is the user's now; a former one of theirs is free again.
    Registered,
    /// The slug belongs to this user of the guild, perhaps to the one who asks.
    Taken(UserId),
}

/// The settings that an operator of the predecessor keeps in `keys/api`.
#[derive(Debug, Clone, Default)]
pub struct ApiKeys {
    /// The bot's token.
    pub discord_token: Option<SecretString>,
    /// The operator's own Sentry.
    pub sentry_dsn: Option<SecretString>,
}

/// The store. Every method is one consistent operation over the network with a
/// time limit; what one process wrote, every process reads.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// The guilds whose channel list holds this channel. A hint: an old database
    /// may hold a channel under a guild that it does not belong to.
    async fn guilds_listing(&self, channel: ChannelId) -> Result<Vec<GuildId>, StoreError>;

    /// The channels in the guild's list, ascending.
    async fn channels(&self, guild: GuildId) -> Result<Vec<ChannelId>, StoreError>;

    /// Puts the channel into the guild's list.
    async fn authorize(&self, guild: GuildId, channel: ChannelId) -> Result<WriteOutcome, StoreError>;

    /// Takes the channel out of the guild's list.
    async fn revoke(&self, guild: GuildId, channel: ChannelId) -> Result<WriteOutcome, StoreError>;

    /// The projects of the guild's users. Slugs are as stored: an old database
    /// may hold any text.
    async fn projects(&self, guild: GuildId) -> Result<BTreeMap<UserId, String>, StoreError>;

    /// Gives the slug to the user unless a user of the guild has it, also when
    /// two processes try at the same instant.
    async fn register(
        &self,
        guild: GuildId,
        user: UserId,
        slug: &ProjectSlug,
    ) -> Result<Registration, StoreError>;

    /// Takes the user's project away and returns its slug, if there was one.
    async fn unregister(&self, guild: GuildId, user: UserId) -> Result<Option<String>, StoreError>;

    /// What the channel trusts; `None` where nothing was ever kept for it.
    async fn trust(&self, channel: ChannelId) -> Result<Option<ChannelTrust>, StoreError>;

    /// The same at this moment, never from memory: what a change or
    /// a copy of it builds on.
    async fn trust_now(&self, channel: ChannelId) -> Result<Option<ChannelTrust>, StoreError> {
        self.trust(channel).await
    }

    /// Keeps `latest` in place of `former`; `false` when something else is
    /// there by now, and nothing was written.
    async fn replace_trust(
        &self,
        channel: ChannelId,
        former: Option<&ChannelTrust>,
        latest: &ChannelTrust,
    ) -> Result<bool, StoreError>;

    /// Since when the channel is secured, in milliseconds since 1970, as a
    /// second note in the store says. It stays even if the record of what the
    /// channel trusts is lost.
    async fn secured_since(&self, channel: ChannelId) -> Result<Option<i64>, StoreError> {
        let _ = channel;
        Ok(None)
    }

    /// An admin has opened the channel. A store that noted elsewhere that it is
    /// secured notes that it is not.
    async fn note_open(&self, channel: ChannelId) -> Result<(), StoreError> {
        let _ = channel;
        Ok(())
    }

    /// The channels for which trust is kept.
    async fn channels_with_trust(&self) -> Result<Vec<ChannelId>, StoreError>;

    /// The channel's rules and mutes, empty where nothing was ever kept for it.
    async fn rules(&self, channel: ChannelId) -> Result<Arc<ChannelRules>, StoreError>;

    /// The same at this moment, never from memory: what a change builds on.
    async fn rules_now(&self, channel: ChannelId) -> Result<Arc<ChannelRules>, StoreError> {
        self.rules(channel).await
    }

    /// Keeps `latest` in place of `former`; `false` when something else is
    /// there by now, and nothing was written.
    async fn replace_rules(
        &self,
        channel: ChannelId,
        former: &ChannelRules,
        latest: &ChannelRules,
    ) -> Result<bool, StoreError>;

    /// The keys for this runtime mode; empty where the store keeps none.
    async fn api_keys(&self, mode: RuntimeMode) -> Result<ApiKeys, StoreError>;
}

/// The store that the settings choose, its reads remembered for less than a
/// minute. It need not be there yet: its calls fail quickly until it is.
///
/// # Errors
/// When the NATS client has been closed.
pub async fn open(settings: &Settings, nats: &async_nats::Client) -> anyhow::Result<Arc<dyn Store>> {
    let store: Arc<dyn Store> = if settings.uses_firestore() {
        tracing::info!(setting = ?settings.store, "the store is Firestore");
        Arc::new(FirestoreStore::new(settings))
    } else {
        tracing::info!(setting = ?settings.store, "the store is NATS");
        Arc::new(NatsStore::new(nats.clone(), settings.common.nats.clone()))
    };
    Ok(Arc::new(CachedStore::new(store, nats.clone(), TIME_TO_LIVE).await?))
}

/// Who of the guild's users has the slug; the one who asks before others, since
/// an old database may name several.
fn owner_of(slug: &ProjectSlug, asker: UserId, projects: &BTreeMap<UserId, String>) -> Option<UserId> {
    let has_it = |user: &UserId| projects.get(user).is_some_and(|project| project == slug.as_ref());
    std::iter::once(&asker).chain(projects.keys()).find(|user| has_it(user)).copied()
}
