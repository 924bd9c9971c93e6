//! The store in NATS JetStream's key-value buckets.
//!
//! - `channel-list` holds a key `<channel>.<guild>` per authorized channel and no
//!   value: one key is the whole fact, so a process killed at any moment leaves it
//!   either there or not. The guilds of a channel, asked for with every alert, are
//!   the keys under one prefix, found without looking at other channels'. The
//!   channels of a guild, asked for by a command, cost the server a look through
//!   its index of keys (2 ms at 20,000).
//! - `user-projects` holds a document per guild, `{"<user>": "<slug>"}`, written
//!   only over the revision that was read. A key per slug would be simpler to
//!   claim, but a change of project then takes two writes, and a process killed
//!   between them would leave a slug that belongs to nobody for ever.
//!
//! - `channel-trust`: see `trust.rs`.
//!
//! Reads go to the stream's leader. A direct read may be answered by a replica
//! that lags, and a stale answer read after a broadcast would be cached for long.

mod trust;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context as _, bail, ensure};
use async_nats::{
    Client,
    connection::State,
    jetstream::{self, kv, stream::LastRawMessageErrorKind},
};
use async_trait::async_trait;
use futures::TryStreamExt as _;
use serde_json::{Map, Value};
use shared::{ChannelId, GuildId, RuntimeMode, UserId, bus, settings::NatsSettings, trust::ChannelTrust};

use super::{
    ApiKeys, Change, ProjectSlug, Registration, Store, StoreError,
    call::{WRITE_ATTEMPTS, after_conflict, timed},
    owner_of,
};
use crate::leader;

const CHANNELS: &str = "channel-list";
const PROJECTS: &str = "user-projects";
const TRUST: &str = "channel-trust";

/// The store in NATS. Its buckets are made when they are first needed.
pub struct NatsStore {
    client: Client,
    settings: NatsSettings,
    buckets: Mutex<Option<Arc<Buckets>>>,
}

struct Buckets {
    channels: kv::Store,
    projects: kv::Store,
    trust: kv::Store,
}

/// A guild's document as it is stored, and the revision that a write must follow
/// (0: there is none yet).
struct Document {
    rows: Map<String, Value>,
    revision: u64,
}

impl NatsStore {
    /// The store that this client reaches, which need not be connected yet.
    pub const fn new(client: Client, settings: NatsSettings) -> Self {
        Self { client, settings, buckets: Mutex::new(None) }
    }

    async fn buckets(&self) -> anyhow::Result<Arc<Buckets>> {
        // What is sent while the connection is away would wait for it.
        ensure!(self.client.connection_state() == State::Connected, "not connected to NATS");
        if let Some(buckets) = self.known().clone() {
            return Ok(buckets);
        }
        let js = jetstream::new(self.client.clone());
        let open = |bucket: &str| kv::Config { bucket: bucket.to_owned(), history: 1, ..Default::default() };
        let buckets = Arc::new(Buckets {
            channels: bus::ensure_bucket(&js, open(CHANNELS), &self.settings).await?,
            projects: bus::ensure_bucket(&js, open(PROJECTS), &self.settings).await?,
            trust: bus::ensure_bucket(&js, open(TRUST), &self.settings).await?,
        });
        for bucket in [&buckets.channels, &buckets.projects] {
            bus::replicate(&js, bucket, &self.settings).await?;
        }
        *self.known() = Some(buckets.clone());
        Ok(buckets)
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Option<Arc<Buckets>>> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn timed<T>(
        &self,
        operation: &'static str,
        work: impl Future<Output = anyhow::Result<T>> + Send,
    ) -> Result<T, StoreError> {
        let result = timed("nats", operation, work).await;
        if result.is_err() {
            // The server may have come back without its files: look again next time.
            *self.known() = None;
        }
        result
    }

    /// Reads the guild's document, lets `edit` change it, and writes it unless
    /// someone else wrote in between; then all of it again. `edit` returns what
    /// the operation answers, and whether it changed anything.
    async fn edit_projects<T>(
        &self,
        guild: GuildId,
        mut edit: impl FnMut(&mut Map<String, Value>) -> (T, Change) + Send,
    ) -> anyhow::Result<T> {
        let bucket = &self.buckets().await?.projects;
        for attempt in 0..WRITE_ATTEMPTS {
            let mut document = read_document(bucket, guild).await?;
            let (answer, change) = edit(&mut document.rows);
            if change == Change::Already || write_document(bucket, guild, &document).await? {
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
            let keys = keys(&self.buckets().await?.channels, &format!("{channel}.*")).await?;
            Ok(keys.iter().filter_map(|key| key.split_once('.')?.1.parse().ok()).collect())
        })
        .await
    }

    async fn channels(&self, guild: GuildId) -> Result<Vec<ChannelId>, StoreError> {
        self.timed("channels", async {
            let keys = keys(&self.buckets().await?.channels, &format!("*.{guild}")).await?;
            let mut channels: Vec<ChannelId> =
                keys.iter().filter_map(|key| key.split_once('.')?.0.parse().ok()).collect();
            channels.sort_unstable();
            Ok(channels)
        })
        .await
    }

    async fn authorize(&self, guild: GuildId, channel: ChannelId) -> Result<Change, StoreError> {
        self.timed("authorize", async {
            let bucket = &self.buckets().await?.channels;
            create(bucket, &format!("{channel}.{guild}")).await
        })
        .await
    }

    async fn revoke(&self, guild: GuildId, channel: ChannelId) -> Result<Change, StoreError> {
        self.timed("revoke", async {
            // Purged from the stream, not deleted as a key: no marker stays behind
            // that would still be listed, and the answer says whether it was there.
            let bucket = &self.buckets().await?.channels;
            let subject = format!("{}{channel}.{guild}", bucket.prefix);
            let purged =
                bucket.stream.purge().filter(subject).await.context("Failed to remove the key")?.purged;
            Ok(if purged > 0 { Change::Made } else { Change::Already })
        })
        .await
    }

    async fn projects(&self, guild: GuildId) -> Result<BTreeMap<UserId, String>, StoreError> {
        self.timed("projects", async {
            Ok(readable(&read_document(&self.buckets().await?.projects, guild).await?.rows))
        })
        .await
    }

    async fn register(
        &self,
        guild: GuildId,
        user: UserId,
        slug: &ProjectSlug,
    ) -> Result<Registration, StoreError> {
        let claim = |rows: &mut Map<String, Value>| match owner_of(slug, user, &readable(rows)) {
            Some(owner) => (Registration::Taken(owner), Change::Already),
            None => {
                rows.insert(user.to_string(), slug.as_ref().into());
                (Registration::Registered, Change::Made)
            }
        };
        self.timed("register", self.edit_projects(guild, claim)).await
    }

    async fn unregister(&self, guild: GuildId, user: UserId) -> Result<Option<String>, StoreError> {
        let release = |rows: &mut Map<String, Value>| match readable(rows).remove(&user) {
            Some(slug) => {
                rows.remove(&user.to_string());
                (Some(slug), Change::Made)
            }
            None => (None, Change::Already),
        };
        self.timed("unregister", self.edit_projects(guild, release)).await
    }

    async fn trust(&self, channel: ChannelId) -> Result<Option<ChannelTrust>, StoreError> {
        self.timed("trust", async { Ok(trust::read(&self.buckets().await?.trust, channel).await?.0) }).await
    }

    async fn replace_trust(
        &self,
        channel: ChannelId,
        former: Option<&ChannelTrust>,
        latest: &ChannelTrust,
    ) -> Result<bool, StoreError> {
        self.timed("replace_trust", async {
            let bucket = &self.buckets().await?.trust;
            let (found, revision) = trust::read(bucket, channel).await?;
            Ok(found.as_ref() == former && trust::write(bucket, channel, latest, revision).await?)
        })
        .await
    }

    async fn channels_with_trust(&self) -> Result<Vec<ChannelId>, StoreError> {
        self.timed("channels_with_trust", async {
            let keys = keys(&self.buckets().await?.trust, "*").await?;
            Ok(keys.iter().filter_map(|key| key.parse().ok()).collect())
        })
        .await
    }

    async fn api_keys(&self, _: RuntimeMode) -> Result<ApiKeys, StoreError> {
        Ok(ApiKeys::default())
    }
}

/// The bucket's keys that match, from the stream's index of subjects.
async fn keys(bucket: &kv::Store, pattern: &str) -> anyhow::Result<Vec<String>> {
    let filter = format!("{}{pattern}", bucket.prefix);
    let subjects = bucket.stream.info_with_subjects(filter).await.context("Failed to list keys")?;
    let key = |(subject, _): (String, usize)| subject.strip_prefix(&bucket.prefix).map(str::to_owned);
    let keys: Vec<_> = subjects.map_ok(key).try_collect().await.context("Failed to list keys")?;
    Ok(keys.into_iter().flatten().collect())
}

async fn create(bucket: &kv::Store, key: &str) -> anyhow::Result<Change> {
    match bucket.update(key, bytes::Bytes::new(), 0).await {
        Ok(_) => Ok(Change::Made),
        Err(error) if error.kind() == kv::UpdateErrorKind::WrongLastRevision => Ok(Change::Already),
        Err(error) => Err(error).context("Failed to create the key"),
    }
}

async fn read_document(bucket: &kv::Store, guild: GuildId) -> anyhow::Result<Document> {
    let subject = format!("{}{guild}", bucket.prefix);
    match bucket.stream.get_last_raw_message_by_subject(&subject).await {
        Ok(message) => Ok(Document {
            rows: serde_json::from_slice(&message.payload).context("Failed to read the guild's document")?,
            revision: message.sequence,
        }),
        Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => {
            Ok(Document { rows: Map::new(), revision: 0 })
        }
        Err(error) => Err(error).context("Failed to get the guild's document"),
    }
}

/// Writes the document unless it changed since it was read: then `false`.
async fn write_document(bucket: &kv::Store, guild: GuildId, document: &Document) -> anyhow::Result<bool> {
    let value = serde_json::to_vec(&document.rows).context("Failed to encode the guild's document")?;
    match bucket.update(guild.to_string(), value.into(), document.revision).await {
        Ok(_) => Ok(true),
        Err(error) if leader::came_second(&error) => Ok(false),
        Err(error) => Err(error).context("Failed to write the guild's document"),
    }
}

/// The rows that a user's id and a text can be read from.
fn readable(rows: &Map<String, Value>) -> BTreeMap<UserId, String> {
    let row = |(user, slug): (&String, &Value)| Some((user.parse().ok()?, slug.as_str()?.to_owned()));
    rows.iter().filter_map(row).collect()
}
