//! Remembers what was read, so that an alert seldom costs a request to the store.
//!
//! An answer is used for less than a minute, also while the store is away: then
//! the next read fails, and nothing is let through on it. A command's write is
//! broadcast on NATS; every pod forgets everything it remembers when it hears
//! one. Forgetting only what a guild's change touches would not do: a channel
//! that was unknown a moment ago may be the one that was just authorized.
//! Commands are typed by people, so the reads that this costs are few.

use std::{
    collections::BTreeMap,
    future::Future,
    hash::Hash,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, anyhow};
use async_nats::{Client, connection::State};
use async_trait::async_trait;
use futures::StreamExt as _;
use moka::future::Cache;
use shared::{ChannelId, GuildId, RuntimeMode, UserId, wire};
use tokio_util::task::AbortOnDropHandle;

use super::{ApiKeys, Change, ProjectSlug, Registration, Store, StoreError, call::TIME_LIMIT};

/// How long an answer is used: a minute less the time that reading it may take.
pub const TIME_TO_LIVE: Duration = Duration::from_secs(60 - TIME_LIMIT.as_secs());

/// How many channels are remembered. Strangers choose the ids that are asked
/// for; past this number those asked for most often stay.
const MOST_CHANNELS: u64 = 20_000;
/// How many rows of guilds' lists are remembered.
const MOST_ROWS: u64 = 200_000;

/// A store whose reads are remembered.
pub struct CachedStore {
    store: Arc<dyn Store>,
    nats: Client,
    memory: Arc<Memory>,
    _listener: AbortOnDropHandle<()>,
}

/// What was known at what time. An answer belongs to the epoch in which its read
/// began and is never found in a later one, so a read that a change overtakes
/// leaves nothing stale behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Epoch {
    changes: u64,
    /// How often the connection was made: broadcasts are missed in between.
    connects: u64,
}

struct Memory {
    changes: AtomicU64,
    listings: Answers<ChannelId, Vec<GuildId>>,
    channels: Answers<GuildId, Vec<ChannelId>>,
    projects: Answers<GuildId, BTreeMap<UserId, String>>,
}

struct Answers<K, V>(Cache<(Epoch, K), V>);

impl CachedStore {
    /// Remembers the answers of `store` for `time_to_live` and listens on `nats`
    /// for changes that other processes make.
    ///
    /// # Errors
    /// When the client has been closed.
    pub async fn new(store: Arc<dyn Store>, nats: Client, time_to_live: Duration) -> anyhow::Result<Self> {
        let memory = Arc::new(Memory {
            changes: AtomicU64::new(0),
            listings: Answers::new(time_to_live, MOST_CHANNELS, |_| 1),
            channels: Answers::new(time_to_live, MOST_ROWS, Vec::len),
            projects: Answers::new(time_to_live, MOST_ROWS, BTreeMap::len),
        });
        // Returns at once, also while NATS is away.
        let mut changes =
            nats.subscribe(wire::STORE_CHANGED).await.context("Failed to listen for changes")?;
        let listening = memory.clone();
        let listener = tokio::spawn(async move {
            while changes.next().await.is_some() {
                listening.forget();
            }
        });
        Ok(Self { store, nats, memory, _listener: AbortOnDropHandle::new(listener) })
    }

    /// The current epoch, or none while changes cannot be heard: then nothing is
    /// remembered.
    fn epoch(&self) -> Option<Epoch> {
        (self.nats.connection_state() == State::Connected).then(|| Epoch {
            changes: self.memory.changes.load(Ordering::SeqCst),
            connects: self.nats.statistics().connects.load(Ordering::SeqCst),
        })
    }

    /// Tells every pod, this one included, that something was written. Also after
    /// a failure: a write whose answer did not come may have been done. A pod that
    /// does not hear of it uses what it remembers for less than a minute.
    async fn announce(&self, guild: GuildId) {
        self.memory.forget();
        if let Err(error) = self.nats.publish(wire::STORE_CHANGED, guild.to_string().into()).await {
            tracing::warn!(guild.id = %guild, %error, "cannot tell the other pods of a change; they see it within a minute");
        }
    }
}

impl Memory {
    fn forget(&self) {
        self.changes.fetch_add(1, Ordering::SeqCst);
        // No longer found, but they would still take up room.
        self.listings.0.invalidate_all();
        self.channels.0.invalidate_all();
        self.projects.0.invalidate_all();
    }
}

impl<K, V> Answers<K, V>
where
    K: Eq + Hash + Copy + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    fn new(time_to_live: Duration, capacity: u64, rows: fn(&V) -> usize) -> Self {
        let weight = move |_: &(Epoch, K), value: &V| u32::try_from(rows(value)).unwrap_or(u32::MAX).max(1);
        Self(Cache::builder().time_to_live(time_to_live).max_capacity(capacity).weigher(weight).build())
    }

    /// The remembered answer, or that of `read`, which runs once for all who ask
    /// at the same time. A failure is not remembered.
    async fn get(
        &self,
        epoch: Option<Epoch>,
        key: K,
        read: impl Future<Output = Result<V, StoreError>>,
    ) -> Result<V, StoreError> {
        match epoch {
            Some(epoch) => self.0.try_get_with((epoch, key), read).await.map_err(again),
            None => read.await,
        }
    }
}

/// The failure of a read that several callers waited for.
fn again(error: Arc<StoreError>) -> StoreError {
    Arc::try_unwrap(error).unwrap_or_else(|error| StoreError(anyhow!("{:#}", error.0)))
}

#[async_trait]
impl Store for CachedStore {
    async fn guilds_listing(&self, channel: ChannelId) -> Result<Vec<GuildId>, StoreError> {
        self.memory.listings.get(self.epoch(), channel, self.store.guilds_listing(channel)).await
    }

    async fn channels(&self, guild: GuildId) -> Result<Vec<ChannelId>, StoreError> {
        self.memory.channels.get(self.epoch(), guild, self.store.channels(guild)).await
    }

    async fn authorize(&self, guild: GuildId, channel: ChannelId) -> Result<Change, StoreError> {
        let change = self.store.authorize(guild, channel).await;
        self.announce(guild).await;
        change
    }

    async fn revoke(&self, guild: GuildId, channel: ChannelId) -> Result<Change, StoreError> {
        let change = self.store.revoke(guild, channel).await;
        self.announce(guild).await;
        change
    }

    async fn projects(&self, guild: GuildId) -> Result<BTreeMap<UserId, String>, StoreError> {
        self.memory.projects.get(self.epoch(), guild, self.store.projects(guild)).await
    }

    async fn register(
        &self,
        guild: GuildId,
        user: UserId,
        slug: &ProjectSlug,
    ) -> Result<Registration, StoreError> {
        let registration = self.store.register(guild, user, slug).await;
        self.announce(guild).await;
        registration
    }

    async fn unregister(&self, guild: GuildId, user: UserId) -> Result<Option<String>, StoreError> {
        let slug = self.store.unregister(guild, user).await;
        self.announce(guild).await;
        slug
    }

    async fn api_keys(&self, mode: RuntimeMode) -> Result<ApiKeys, StoreError> {
        self.store.api_keys(mode).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHANNEL: ChannelId = ChannelId::new(1);

    fn epoch(changes: u64) -> Option<Epoch> {
        Some(Epoch { changes, connects: 1 })
    }

    #[tokio::test]
    async fn a_read_that_a_change_overtakes_leaves_nothing_stale_behind() {
        let answers = Answers::new(TIME_TO_LIVE, 10, |_| 1);
        let (begun, wait) = tokio::sync::oneshot::channel::<()>();
        let slow = async {
            wait.await.expect("the change comes");
            Ok("old")
        };
        let change = async { begun.send(()) };
        let (old, _) = tokio::join!(answers.get(epoch(0), CHANNEL, slow), change);
        assert_eq!(old.expect("the read succeeds"), "old");
        let new = answers.get(epoch(1), CHANNEL, async { Ok("new") }).await;
        assert_eq!(new.expect("the read succeeds"), "new");
    }

    #[tokio::test]
    async fn a_failure_is_not_remembered_and_an_answer_is() {
        let answers = Answers::new(TIME_TO_LIVE, 10, |_| 1);
        let away = || StoreError(anyhow!("away"));
        answers.get(epoch(0), CHANNEL, async { Err(away()) }).await.expect_err("the store is away");
        answers.get(epoch(0), CHANNEL, async { Ok(1) }).await.expect("the store is back");
        let remembered = answers.get(epoch(0), CHANNEL, async { Err(away()) }).await;
        assert_eq!(remembered.expect("it is remembered"), 1);
        answers.get(None, CHANNEL, async { Err(away()) }).await.expect_err("changes cannot be heard");
    }

    #[tokio::test]
    async fn the_ids_of_strangers_do_not_fill_the_memory() {
        let answers = Answers::new(TIME_TO_LIVE, 50, |_| 1);
        for id in 0..2_000 {
            answers.get(epoch(0), ChannelId::new(id), async { Ok(()) }).await.expect("the read succeeds");
        }
        answers.0.run_pending_tasks().await;
        assert!(answers.0.entry_count() <= 50, "{}", answers.0.entry_count());
    }

    #[tokio::test]
    async fn many_who_ask_at_once_cost_one_read() {
        let answers = Answers::new(TIME_TO_LIVE, 10, |_| 1);
        let reads = AtomicU64::new(0);
        let read = || async {
            tokio::task::yield_now().await;
            Ok(reads.fetch_add(1, Ordering::SeqCst))
        };
        let asked = (0..20).map(|_| answers.get(epoch(0), CHANNEL, read()));
        for answer in futures::future::join_all(asked).await {
            assert_eq!(answer.expect("the read succeeds"), 0);
        }
    }
}
