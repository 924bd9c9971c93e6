//! Who may post where, kept outside the process. One trait, two stores:
//! Firestore with the predecessor's documents, and NATS KV.

use std::{collections::BTreeMap, fmt, str::FromStr};

use async_trait::async_trait;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use shared::{ChannelId, GuildId, RuntimeMode, UserId};

/// The store could not be asked: away, too slow, or what it holds cannot be
/// read. Nothing is let through on this; try again later.
#[derive(Debug, thiserror::Error)]
#[error("the store is unavailable: {0:#}")]
pub struct StoreError(#[from] pub anyhow::Error);

/// The slug of a Sentry project: 1 to 100 of `A–Z a–z 0–9 - _ .`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ProjectSlug(String);

/// The text is not a project's slug.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a project slug")]
pub struct InvalidSlug;

impl FromStr for ProjectSlug {
    type Err = InvalidSlug;

    fn from_str(text: &str) -> Result<Self, InvalidSlug> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        if (1..=100).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidSlug)
        }
    }
}

impl TryFrom<String> for ProjectSlug {
    type Error = InvalidSlug;

    fn try_from(text: String) -> Result<Self, InvalidSlug> {
        text.parse()
    }
}

impl From<ProjectSlug> for String {
    fn from(slug: ProjectSlug) -> Self {
        slug.0
    }
}

impl AsRef<str> for ProjectSlug {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ProjectSlug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Whether a write changed anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It did.
    Made,
    /// It was so already.
    Already,
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
    async fn authorize(&self, guild: GuildId, channel: ChannelId) -> Result<Change, StoreError>;

    /// Takes the channel out of the guild's list.
    async fn revoke(&self, guild: GuildId, channel: ChannelId) -> Result<Change, StoreError>;

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

    /// The keys for this runtime mode; empty where the store keeps none.
    async fn api_keys(&self, mode: RuntimeMode) -> Result<ApiKeys, StoreError>;
}
