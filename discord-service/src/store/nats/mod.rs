//! The store in NATS JetStream's key-value buckets.
//!
//! - `channel-list` holds a key `<channel>.<guild>` for each authorized
//!   channel. The key is the whole fact (`notes.rs` says what its value notes),
//!   so a process killed at any moment leaves it either there or not. The
//!   guilds of a channel, asked for with every alert, are the keys under one
//!   prefix, found without looking at other channels'. The channels of a guild,
//!   asked for by a command, cost the server a look through its index of keys
//!   (2 ms at 20,000).
//! - `user-projects` holds a document per guild, `{"<user>": "<slug>"}`,
//!   written only over the revision that was read. A key for each slug would be
//!   simpler to claim. But then a change of project takes two writes, and a
//!   crash between them would leave a slug that belongs to nobody.
//!
//! - `channel-trust`: see `channel_document.rs`.
//!
//! Reads go to the stream's leader. A direct read may be answered by a replica
//! that lags, and a stale answer read after a broadcast would be cached for long.

mod channel_document;
mod notes;

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, Ordering},
};

use anyhow::{Context as _, bail, ensure};
use async_nats::{Client, connection::State, jetstream};
use async_trait::async_trait;
use serde_json::{Map, Value};
use shared::{
    ChannelId, GuildId, RuntimeMode, UserId, bus, settings::NatsSettings, trust::ChannelTrust, wire,
};

use super::{
    ApiKeys, ProjectSlug, Registration, Store, StoreError, WriteOutcome,
    call::{WRITE_ATTEMPTS, after_conflict, timed},
    owner_of,
};
use crate::kv::{Bucket, Entry};

/// The store in NATS. Its buckets are made when they are first needed.
pub struct NatsStore {
    client: Client,
    js: jetstream::Context,
    settings: NatsSettings,
    channels: Bucket,
    projects: Bucket,
    trust: Bucket,
    /// Whether the buckets are there, as far as is known.
    made: AtomicBool,
}

/// A guild's document as it is stored, and the revision that a write must follow
/// (0: there is none yet).
struct Document {
    rows: Map<String, Value>,
    revision: u64,
}

impl NatsStore {
    /// The store that this client reaches, which need not be connected yet.
    pub fn new(client: Client, settings: NatsSettings) -> Self {
        let js = jetstream::new(client.clone());
        let bucket = |name| Bucket::new(&js, name);
        let (channels, projects, trust) =
            (bucket(wire::CHANNEL_LIST), bucket(wire::USER_PROJECTS), bucket(wire::CHANNEL_TRUST));
        Self { client, js, settings, channels, projects, trust, made: AtomicBool::new(false) }
    }

    /// Makes sure that the buckets are there.
    async fn prepare(&self) -> anyhow::Result<()> {
        // What is sent while the connection is away would wait for it.
        ensure!(self.client.connection_state() == State::Connected, "not connected to NATS");
        if !self.made.load(Ordering::Relaxed) {
            bus::ensure_store(&self.js, &self.settings).await?;
            self.made.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    async fn timed<T>(
        &self,
        operation: &'static str,
        work: impl Future<Output = anyhow::Result<T>> + Send,
    ) -> Result<T, StoreError> {
        let work = async {
            self.prepare().await?;
            work.await
        };
        let result = timed("nats", operation, work).await;
        if result.is_err() {
            // The server may have come back without its files: look again next time.
            self.made.store(false, Ordering::Relaxed);
        }
        result
    }

    /// Reads the guild's document, lets `edit` change it, and writes it unless
    /// someone else wrote in between; then all of it again. `edit` returns what
    /// the operation answers, and whether it changed anything.
    async fn edit_projects<T>(
        &self,
        guild: GuildId,
        mut edit: impl FnMut(&mut Map<String, Value>) -> (T, WriteOutcome) + Send,
    ) -> anyhow::Result<T> {
        let bucket = &self.projects;
        for attempt in 0..WRITE_ATTEMPTS {
            let mut document = read_document(bucket, guild).await?;
            let (answer, change) = edit(&mut document.rows);
            if change == WriteOutcome::Unchanged || write_document(bucket, guild, &document).await? {
                return Ok(answer);
            }
            after_conflict(attempt).await;
        }
        bail!("others kept changing the projects of guild {guild}")
    }
}

#[async_trait]
impl Store for NatsStore {
    async fn guilds_listing(&self, channel: ChannelId) -> Result<Vec<GuildId>, StoreError> {
        self.timed("guilds_listing", async {
            let keys = self.channels.keys(&format!("{channel}.*")).await?;
            Ok(keys.iter().filter_map(|key| key.split_once('.')?.1.parse().ok()).collect())
        })
        .await
    }

    async fn channels(&self, guild: GuildId) -> Result<Vec<ChannelId>, StoreError> {
        self.timed("channels", async {
            let keys = self.channels.keys(&format!("*.{guild}")).await?;
            let mut channels: Vec<ChannelId> =
                keys.iter().filter_map(|key| key.split_once('.')?.0.parse().ok()).collect();
            channels.sort_unstable();
            Ok(channels)
        })
        .await
    }

    async fn authorize(&self, guild: GuildId, channel: ChannelId) -> Result<WriteOutcome, StoreError> {
        self.timed("authorize", async {
            let kept = channel_document::read(&self.trust, channel).await?.0;
            let note = notes::Note::new(kept.as_ref().and_then(notes::since)).encode()?;
            let added = self.channels.replace(&format!("{channel}.{guild}"), note, 0).await?;
            Ok(if added { WriteOutcome::Changed } else { WriteOutcome::Unchanged })
        })
        .await
    }

    async fn revoke(&self, guild: GuildId, channel: ChannelId) -> Result<WriteOutcome, StoreError> {
        self.timed("revoke", async {
            // It is purged from the stream, not deleted as a key. So no marker
            // stays that would still be listed, and the answer says whether it
            // was there.
            let removed = self.channels.remove(&format!("{channel}.{guild}")).await?;
            Ok(if removed { WriteOutcome::Changed } else { WriteOutcome::Unchanged })
        })
        .await
    }

    async fn projects(&self, guild: GuildId) -> Result<BTreeMap<UserId, String>, StoreError> {
        self.timed("projects", async { Ok(readable(&read_document(&self.projects, guild).await?.rows)) })
            .await
    }

    async fn register(
        &self,
        guild: GuildId,
        user: UserId,
        slug: &ProjectSlug,
    ) -> Result<Registration, StoreError> {
        let claim = |rows: &mut Map<String, Value>| match owner_of(slug, user, &readable(rows)) {
            Some(owner) => (Registration::Taken(owner), WriteOutcome::Unchanged),
            None => {
                rows.insert(user.to_string(), slug.as_ref().into());
                (Registration::Registered, WriteOutcome::Changed)
            }
        };
        self.timed("register", self.edit_projects(guild, claim)).await
    }

    async fn unregister(&self, guild: GuildId, user: UserId) -> Result<Option<String>, StoreError> {
        let release = |rows: &mut Map<String, Value>| match readable(rows).remove(&user) {
            Some(slug) => {
                rows.remove(&user.to_string());
                (Some(slug), WriteOutcome::Changed)
            }
            None => (None, WriteOutcome::Unchanged),
        };
        self.timed("unregister", self.edit_projects(guild, release)).await
    }

    async fn trust(&self, channel: ChannelId) -> Result<Option<ChannelTrust>, StoreError> {
        self.timed("trust", async {
            let kept = channel_document::read(&self.trust, channel).await?.0;
            let secured = kept.as_ref().is_some_and(|kept| kept.secured);
            if !secured && notes::secured_since(&self.channels, channel).await?.is_some() {
                bail!(
                    "what channel {channel} trusts is lost, and it was secured: secure it again, open it, or \
                     restore a backup"
                );
            }
            Ok(kept)
        })
        .await
    }

    async fn trust_now(&self, channel: ChannelId) -> Result<Option<ChannelTrust>, StoreError> {
        self.timed("trust_now", async {
            let kept = channel_document::read(&self.trust, channel).await?.0;
            // Rows of an older build have no note.
            if let Some(since) = kept.as_ref().and_then(notes::since) {
                notes::write(&self.channels, channel, Some(since)).await?;
            }
            Ok(kept)
        })
        .await
    }

    async fn secured_since(&self, channel: ChannelId) -> Result<Option<i64>, StoreError> {
        self.timed("secured_since", notes::secured_since(&self.channels, channel)).await
    }

    async fn note_open(&self, channel: ChannelId) -> Result<(), StoreError> {
        self.timed("note_open", notes::write(&self.channels, channel, None)).await
    }

    async fn replace_trust(
        &self,
        channel: ChannelId,
        former: Option<&ChannelTrust>,
        latest: &ChannelTrust,
    ) -> Result<bool, StoreError> {
        self.timed("replace_trust", async {
            let (found, revision) = channel_document::read(&self.trust, channel).await?;
            if found.as_ref() != former {
                return Ok(false);
            }
            // The note first: a channel is never secured without one.
            if latest.secured || former.is_some_and(|former| former.secured) {
                notes::write(&self.channels, channel, notes::since(latest)).await?;
            }
            channel_document::write(&self.trust, channel, latest, revision).await
        })
        .await
    }

    async fn channels_with_trust(&self) -> Result<Vec<ChannelId>, StoreError> {
        self.timed("channels_with_trust", async {
            let keys = self.trust.keys("*").await?;
            Ok(keys.iter().filter_map(|key| key.parse().ok()).collect())
        })
        .await
    }

    async fn api_keys(&self, _: RuntimeMode) -> Result<ApiKeys, StoreError> {
        Ok(ApiKeys::default())
    }
}

async fn read_document(bucket: &Bucket, guild: GuildId) -> anyhow::Result<Document> {
    let Entry { revision, value } = bucket.entry(&guild.to_string()).await?;
    let rows = match value {
        Some(value) => serde_json::from_slice(&value).context("cannot read the guild's document")?,
        None => Map::new(),
    };
    Ok(Document { rows, revision })
}

/// Writes the document unless it changed since it was read: then `false`.
async fn write_document(bucket: &Bucket, guild: GuildId, document: &Document) -> anyhow::Result<bool> {
    let value = serde_json::to_vec(&document.rows).context("cannot encode the guild's document")?;
    let written = bucket.replace(&guild.to_string(), value.into(), document.revision).await;
    written.context("cannot write the guild's document")
}

/// The rows that a user's id and a text can be read from.
fn readable(rows: &Map<String, Value>) -> BTreeMap<UserId, String> {
    let row = |(user, slug): (&String, &Value)| Some((user.parse().ok()?, slug.as_str()?.to_owned()));
    rows.iter().filter_map(row).collect()
}
