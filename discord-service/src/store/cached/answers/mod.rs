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
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(3_600);
    const CONNECTED: Option<u64> = Some(1);

    fn answers<V: Clone + Send + Sync + 'static>(capacity: u64) -> Answers<u64, V> {
        Answers::new(LONG, capacity, |_| 1)
    }

    fn away<V>() -> Result<V, StoreError> {
        Err(StoreError(anyhow!("away")))
    }

    #[tokio::test]
    async fn a_read_that_a_change_overtakes_leaves_nothing_stale_behind() {
        let answers = answers(10);
        let slow = async {
            answers.forget(7);
            Ok("old")
        };
        assert_eq!(answers.get(CONNECTED, 7, slow).await.expect("the read succeeds"), "old");
        let next = answers.get(CONNECTED, 7, async { Ok("new") }).await;
        assert_eq!(next.expect("the read succeeds"), "new");
    }

    #[tokio::test]
    async fn only_the_key_that_changed_is_forgotten() {
        let answers = answers(2_000);
        for key in 0..100 {
            answers.get(CONNECTED, key, async { Ok("old") }).await.expect("the read succeeds");
        }
        answers.forget(7);
        let mut read_again = Vec::new();
        for key in 0..100 {
            if answers.get(CONNECTED, key, async { Ok("new") }).await.expect("the read succeeds") == "new" {
                read_again.push(key);
            }
        }
        assert!(read_again.contains(&7) && read_again.len() < 10, "{read_again:?}");
        answers.forget_all();
        answers.get(CONNECTED, 8, async { away() }).await.expect_err("forgotten");
    }

    #[tokio::test]
    async fn a_failure_is_not_remembered_and_an_answer_is_while_the_connection_lasts() {
        let answers = answers(10);
        answers.get(CONNECTED, 7, async { away() }).await.expect_err("the store is away");
        answers.get(CONNECTED, 7, async { Ok(1) }).await.expect("the store is back");
        assert_eq!(answers.get(CONNECTED, 7, async { away() }).await.expect("it is remembered"), 1);
        answers.get(None, 7, async { away() }).await.expect_err("changes cannot be heard");
        answers.get(Some(2), 7, async { away() }).await.expect_err("changes may have been missed");
    }

    #[tokio::test]
    async fn the_ids_of_strangers_do_not_fill_the_memory() {
        let answers = answers(50);
        for id in 0..2_000 {
            answers.get(CONNECTED, id, async { Ok(()) }).await.expect("the read succeeds");
        }
        answers.remembered.run_pending_tasks().await;
        assert!(answers.remembered.entry_count() <= 50, "{}", answers.remembered.entry_count());
    }

    #[tokio::test]
    async fn many_who_ask_at_once_cost_one_read() {
        let answers = answers(10);
        let reads = AtomicU64::new(0);
        let read = || async {
            tokio::task::yield_now().await;
            Ok(reads.fetch_add(1, Ordering::SeqCst))
        };
        let asked = (0..20).map(|_| answers.get(CONNECTED, 7, read()));
        for answer in futures::future::join_all(asked).await {
            assert_eq!(answer.expect("the read succeeds"), 0);
        }
    }
}
