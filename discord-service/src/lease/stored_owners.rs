//! Reads and writes the table of owners, and reads the pods' keys.

use anyhow::Context as _;
use bytes::Bytes;

use super::{
    owner_table::{OwnerTable, Pods},
    renewal::key_of,
};
use crate::kv::{Bucket, Entry, Lifetime, WriteError};

/// The key of the table.
pub(super) const OWNERS: &str = "owners";

/// The table as it was read.
pub(super) enum OwnersRead {
    /// The table, and its revision: 0 where there is none yet.
    Readable(OwnerTable, u64),
    /// Something of this revision that this version cannot read: a newer one
    /// wrote it, or it is damaged.
    Unreadable(u64),
}

/// The table of owners in NATS.
#[derive(Debug)]
pub(super) struct StoredOwners {
    bucket: Bucket,
    /// The revision that the last write should replace, if NATS has not confirmed the
    /// write: it may still be on its way.
    unconfirmed: Option<u64>,
}

impl StoredOwners {
    pub(super) const fn new(bucket: Bucket) -> Self {
        Self { bucket, unconfirmed: None }
    }

    /// The table as the stream's leader has it.
    pub(super) async fn read(&self) -> anyhow::Result<OwnersRead> {
        let Entry { revision, value } = self.bucket.entry(OWNERS).await?;
        if revision == 0 {
            return Ok(OwnersRead::Readable(OwnerTable::default(), 0));
        }
        Ok(match serde_json::from_slice(&value.unwrap_or_default()) {
            Ok(table) => OwnersRead::Readable(table, revision),
            Err(_) => OwnersRead::Unreadable(revision),
        })
    }

    /// Replaces this revision by the table.
    pub(super) async fn write(&mut self, table: &OwnerTable, revision: u64) -> Result<(), WriteError> {
        let value = serde_json::to_vec(table).context("cannot encode the table of leases")?;
        self.unconfirmed = Some(revision);
        let written = self.bucket.write(OWNERS, value.into(), Some(revision), Lifetime::Ever).await.map(drop);
        if matches!(written, Ok(()) | Err(WriteError::Conflict)) {
            self.unconfirmed = None;
        }
        written
    }

    /// Whether a write that replaces this revision may still be on its way.
    pub(super) fn may_change(&self, revision: u64) -> bool {
        self.unconfirmed == Some(revision)
    }

    /// The pods whose keys exist.
    pub(super) async fn pods(&self) -> anyhow::Result<Pods> {
        let keys = self.bucket.keys(&key_of(&"*".to_owned())).await?;
        let below = key_of(&String::new());
        let ids = keys.iter().filter_map(|key| key.strip_prefix(&below)).map(ToOwned::to_owned);
        let reads = ids.map(|id| async move {
            let entry = self.bucket.entry(&key_of(&id)).await?;
            // A pod lives even if its state is unreadable.
            let state = |value: Bytes| serde_json::from_slice(&value).unwrap_or_default();
            anyhow::Ok((entry.revision > 0).then(|| (id, state(entry.value.unwrap_or_default()))))
        });
        let read = futures::future::try_join_all(reads).await?;
        Ok(read.into_iter().flatten().collect())
    }
}
