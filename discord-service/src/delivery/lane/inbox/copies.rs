//! Second copies of alerts from other channels.

use std::collections::BTreeSet;

use anyhow::Context as _;
use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _, stream};

use super::Inbox;
use crate::{delivery::hop_id::HopId, direct_get::StoredMessage};

/// How many ids are looked up or noted at once.
const IN_FLIGHT: usize = 64;

impl Inbox<'_> {
    /// Those of these alerts from other channels that are done: they are second
    /// copies. The bucket's leader is asked.
    pub(super) async fn finished(&self, messages: &[StoredMessage]) -> anyhow::Result<BTreeSet<HopId>> {
        let hops = messages.iter().filter_map(|stored| self.hop(stored));
        let asked = hops.map(|hop| async move {
            let found = self.services.routed.get(&hop.key(self.channel)).await;
            anyhow::Ok(found.context("cannot look for a second copy")?.map(|_| hop))
        });
        let asked: Vec<_> = asked.collect();
        let found: Vec<Option<HopId>> = stream::iter(asked).buffered(IN_FLIGHT).try_collect().await?;
        Ok(found.into_iter().flatten().collect())
    }

    pub(super) fn hop(&self, stored: &StoredMessage) -> Option<HopId> {
        HopId::parse(stored.hop_id.as_deref()?, self.channel)
    }

    /// Removes second copies of alerts from other channels.
    pub(in crate::delivery::lane) async fn remove_copies(&mut self) -> anyhow::Result<()> {
        let copies = self.places.copies().clone();
        if copies.is_empty() {
            return Ok(());
        }
        tracing::info!(alerts = copies.len(), "removed second copies of routed alerts");
        self.remove_stored(&copies).await?;
        self.forget(&copies);
        Ok(())
    }

    /// Notes which of these alerts from other channels are done here, because another
    /// copy may come.
    pub(super) async fn note_done(&self, sequences: &BTreeSet<u64>) -> anyhow::Result<()> {
        let hops =
            self.places.hops(sequences).into_iter().map(|hop| async move {
                self.services.routed.put(&hop.key(self.channel), Bytes::new()).await
            });
        let hops: Vec<_> = hops.collect();
        let noted: anyhow::Result<()> = stream::iter(hops).buffer_unordered(IN_FLIGHT).try_collect().await;
        noted.context("cannot note what was routed here")
    }
}
