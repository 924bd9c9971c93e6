//! Remembered answers to one kind of question.

use std::{
    future::Future,
    hash::{BuildHasher as _, Hash, RandomState},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::anyhow;
use moka::future::Cache;

use crate::store::StoreError;

/// Keys share so many counters of changes: few enough to cost nothing, many
/// enough that one guild's change makes next to nothing else forgotten.
const COUNTERS: usize = 1_024;

/// What makes an answer findable: its key, and that nothing changed since its
/// read began. A read that a change overtakes thus leaves nothing stale behind.
type Question<K> = (Epoch, K);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Epoch {
    changes: u64,
    connection: u64,
}

/// Answers by key, for a limited time and in limited number.
pub(super) struct Answers<K, V> {
    remembered: Cache<Question<K>, V>,
    changes: Box<[AtomicU64]>,
    hasher: RandomState,
}

impl<K, V> Answers<K, V>
where
    K: Eq + Hash + Copy + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// Remembers answers of `capacity` rows in all, those asked for most often.
    pub(super) fn new(time_to_live: Duration, capacity: u64, rows: fn(&V) -> usize) -> Self {
        let weight = move |_: &Question<K>, value: &V| u32::try_from(rows(value)).unwrap_or(u32::MAX).max(1);
        Self {
            remembered: Cache::builder()
                .time_to_live(time_to_live)
                .max_capacity(capacity)
                .weigher(weight)
                .build(),
            changes: (0..COUNTERS).map(|_| AtomicU64::new(0)).collect(),
            hasher: RandomState::new(),
        }
    }

    /// The remembered answer, or that of `read`, which runs once for all who ask
    /// at the same time. A failure is not remembered, and nothing is without a
    /// connection over which changes are heard. Another connection is a new start:
    /// what was announced in between was missed.
    pub(super) async fn get(
        &self,
        connection: Option<u64>,
        key: K,
        read: impl Future<Output = Result<V, StoreError>>,
    ) -> Result<V, StoreError> {
        let (Some(connection), Some(changes)) = (connection, self.counter(key)) else {
            return read.await;
        };
        let epoch = Epoch { changes: changes.load(Ordering::SeqCst), connection };
        self.remembered.try_get_with((epoch, key), read).await.map_err(again)
    }

    /// Forgets the answer for `key`.
    pub(super) fn forget(&self, key: K) {
        if let Some(changes) = self.counter(key) {
            changes.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// Forgets every answer.
    pub(super) fn forget_all(&self) {
        for changes in &self.changes {
            changes.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn counter(&self, key: K) -> Option<&AtomicU64> {
        let counters = u64::try_from(self.changes.len()).ok()?;
        self.changes.get(usize::try_from(self.hasher.hash_one(key) % counters).ok()?)
    }
}

/// The failure of a read that several callers may have waited for.
fn again(error: Arc<StoreError>) -> StoreError {
    Arc::try_unwrap(error).unwrap_or_else(|error| StoreError(anyhow!("{:#}", error.0)))
}

#[cfg(test)]
mod tests;
