//! The state of each shard's session, kept in NATS. The next pod with the shard
//! goes on with the session: Discord sends the events since then, and no
//! IDENTIFY is used.

use std::{convert::Infallible, time::Duration};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};

use super::{events_in_flight::EventsInFlight, resumable::Resumable, shard_id::ShardId};
use crate::kv::{Bucket, Lifetime, WriteError};

/// How far what is kept may lag behind, except for the end of a command. After a
/// crash the events since then are handled twice, and answered once, since a
/// reply has a nonce.
const LAG: Duration = Duration::from_millis(500);
/// Between two tries to read it. To begin a new session instead would cost an
/// IDENTIFY and what was typed meanwhile.
const RETRY: Duration = Duration::from_millis(100);

/// What is written down. A reader that knows fewer fields ignores the others.
#[derive(Serialize, Deserialize)]
struct SessionEntry {
    total: u32,
    session: Resumable,
}

/// One shard's entry, as its owner keeps it.
pub(super) struct StoredSession {
    bucket: Bucket,
    shard: ShardId,
    revision: u64,
    session: Option<Resumable>,
}

impl StoredSession {
    /// What a predecessor left, as soon as NATS tells.
    pub(super) async fn open(bucket: &Bucket, shard: ShardId) -> Self {
        let entry = loop {
            match bucket.entry(&key(shard)).await {
                Ok(entry) => break entry,
                Err(error) => tracing::debug!(shard.id, "cannot look for the shard's session: {error:#}"),
            }
            sleep(RETRY).await;
        };
        let revision = entry.revision;
        let stored = entry.value.and_then(|value| serde_json::from_slice(&value).ok());
        let session =
            stored.filter(|stored: &SessionEntry| stored.total == shard.total).map(|stored| stored.session);
        Self { bucket: bucket.clone(), shard, revision, session }
    }

    /// The session to go on with, if there is one.
    pub(super) fn session(&self) -> Option<Resumable> {
        self.session.clone()
    }

    /// Writes down the state of the session.
    pub(super) async fn save(&mut self, session: Option<Resumable>) {
        if session == self.session {
            return;
        }
        match self.write(session.as_ref()).await {
            Ok(()) => self.session = session,
            Err(error) => {
                tracing::debug!(self.shard.id, "cannot write down the state of the session: {error:#}");
            }
        }
    }

    /// Names the revision that it replaces, so that what a pod had under way
    /// when it froze changes nothing once a successor has written.
    async fn write(&mut self, session: Option<&Resumable>) -> anyhow::Result<()> {
        let value = match session {
            Some(session) => {
                let stored = SessionEntry { total: self.shard.total, session: session.clone() };
                serde_json::to_vec(&stored)?.into()
            }
            None => Bytes::new(),
        };
        let key = key(self.shard);
        loop {
            match self.bucket.write(&key, value.clone(), Some(self.revision), Lifetime::Ever).await {
                Ok(revision) => {
                    self.revision = revision;
                    return Ok(());
                }
                // A predecessor's last word, or a write of ours that was given up.
                Err(WriteError::Conflict) => {
                    self.revision = self.bucket.entry(&key).await?.revision;
                }
                Err(WriteError::Failed(error)) => return Err(error),
            }
        }
    }

    /// Keeps writing it down, with what is still being handled.
    pub(super) async fn follow(
        &mut self,
        mut session: watch::Receiver<Option<Resumable>>,
        in_flight: &EventsInFlight,
    ) -> Infallible {
        let mut changes = in_flight.changes();
        loop {
            // Neither ends before the shard does.
            let _ = tokio::select! {
                changed = session.changed() => changed,
                changed = changes.changed() => changed,
            };
            changes.mark_unchanged();
            let now = session.borrow_and_update().clone();
            self.save(now.map(|session| session.leaving(in_flight.events()))).await;
            let _ = timeout(LAG, in_flight.command_ended()).await;
        }
    }
}

fn key(shard: ShardId) -> String {
    format!("session.{}", shard.id)
}
