//! The table of owners and the pods' keys, as they stand in NATS.

use anyhow::Context as _;

use super::{
    bucket::{Bucket, Entry, Life, PutError},
    owner_table::{Pods, Table},
    renewal::{PODS, key_of},
};

/// The key of the table.
pub(super) const OWNERS: &str = "owners";

/// What stands under it.
pub(super) enum Standing {
    /// The table, and its revision: 0 where there is none yet.
    Table(Table, u64),
    /// Something of this revision that this version cannot read: a newer one
    /// wrote it, or it is damaged.
    Unreadable(u64),
}

/// Reads and writes them.
#[derive(Debug)]
pub(super) struct Owners {
    bucket: Bucket,
    /// The revision that a write of the table was to replace which nobody has
    /// confirmed: it may still be on its way.
    unconfirmed: Option<u64>,
}

impl Owners {
    pub(super) const fn new(bucket: Bucket) -> Self {
        Self { bucket, unconfirmed: None }
    }

    /// What the stream's leader has.
    pub(super) async fn read(&self) -> anyhow::Result<Standing> {
        let entry = self.bucket.get(OWNERS).await?;
        Ok(entry.map_or(Standing::Table(Table::default(), 0), |Entry { revision, value }| {
            match serde_json::from_slice(&value) {
                Ok(table) => Standing::Table(table, revision),
                Err(_) => Standing::Unreadable(revision),
            }
        }))
    }

    /// Puts this table in place of that revision.
    pub(super) async fn write(&mut self, table: &Table, revision: u64) -> Result<(), PutError> {
        let value = serde_json::to_vec(table).context("cannot encode the table of leases")?;
        self.unconfirmed = Some(revision);
        let written = self.bucket.put(OWNERS, value.into(), Some(revision), Life::Ever).await.map(drop);
        if matches!(written, Ok(()) | Err(PutError::Conflict)) {
            self.unconfirmed = None;
        }
        written
    }

    /// Whether a write that was to replace this revision may still be on its way.
    pub(super) fn may_change(&self, revision: u64) -> bool {
        self.unconfirmed == Some(revision)
    }

    /// The pods whose keys stand.
    pub(super) async fn pods(&self) -> anyhow::Result<Pods> {
        let ids = self.bucket.names(PODS).await?;
        let reads = ids.into_iter().map(|id| async move {
            let entry = self.bucket.get(&key_of(&id)).await?;
            // A pod whose words are unreadable lives all the same.
            anyhow::Ok(entry.map(|entry| (id, serde_json::from_slice(&entry.value).unwrap_or_default())))
        });
        let read = futures::future::try_join_all(reads).await?;
        Ok(read.into_iter().flatten().collect())
    }
}
