//! Where each shard's session stands, kept in NATS, so that the pod that has the
//! shard next goes on with the session: Discord then sends what came meanwhile,
//! and no IDENTIFY is spent.

use std::{convert::Infallible, time::Duration};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};

use super::{ShardId, resumable::Resumable, unfinished::Unfinished};
use crate::lease::{Bucket, Life, PutError};

/// How far what is kept may lag behind, except for the end of a command. After a
/// crash the events since then are handled twice, and answered once, since a
/// reply has a nonce.
const LAG: Duration = Duration::from_millis(500);
/// Between two tries to read it. To begin a new session instead would cost an
/// IDENTIFY and what was typed meanwhile.
const RETRY: Duration = Duration::from_millis(100);

/// What is written down. A reader that knows fewer fields ignores the others.
#[derive(Serialize, Deserialize)]
struct Stored {
    total: u32,
    session: Resumable,
}

/// One shard's entry, as its owner keeps it.
pub(super) struct Kept {
    bucket: Bucket,
    shard: ShardId,
    revision: u64,
    session: Option<Resumable>,
}

impl Kept {
    /// What a predecessor left, as soon as NATS tells.
    pub(super) async fn open(bucket: &Bucket, shard: ShardId) -> Self {
        let entry = loop {
            match bucket.get(&key(shard)).await {
                Ok(entry) => break entry,
                Err(error) => tracing::debug!(shard.id, "cannot look for the shard's session: {error:#}"),
            }
            sleep(RETRY).await;
        };
        let revision = entry.as_ref().map_or(0, |entry| entry.revision);
        let stored = entry.and_then(|entry| serde_json::from_slice(&entry.value).ok());
        let session =
            stored.filter(|stored: &Stored| stored.total == shard.total).map(|stored| stored.session);
        Self { bucket: bucket.clone(), shard, revision, session }
    }

    /// The session to go on with, if there is one.
    pub(super) fn session(&self) -> Option<Resumable> {
        self.session.clone()
    }

    /// Writes down where the session stands.
    pub(super) async fn save(&mut self, session: Option<Resumable>) {
        if session == self.session {
            return;
        }
        match self.write(session.as_ref()).await {
            Ok(()) => self.session = session,
            Err(error) => {
                tracing::debug!(self.shard.id, "cannot write down where the session stands: {error:#}");
            }
        }
    }

    /// Names the revision that it replaces, so that what a pod had under way
    /// when it froze changes nothing once a successor has written.
    async fn write(&mut self, session: Option<&Resumable>) -> anyhow::Result<()> {
        let value = match session {
            Some(session) => {
                let stored = Stored { total: self.shard.total, session: session.clone() };
                serde_json::to_vec(&stored)?.into()
            }
            None => Bytes::new(),
        };
        let key = key(self.shard);
        loop {
            match self.bucket.put(&key, value.clone(), Some(self.revision), Life::Ever).await {
                Ok(revision) => {
                    self.revision = revision;
                    return Ok(());
                }
                // A predecessor's last word, or a write of ours that was given up.
                Err(PutError::Conflict) => {
                    self.revision = self.bucket.get(&key).await?.map_or(0, |entry| entry.revision);
                }
                Err(PutError::Failed(error)) => return Err(error),
            }
        }
    }

    /// Keeps writing it down, with what is still being handled.
    pub(super) async fn follow(
        &mut self,
        mut session: watch::Receiver<Option<Resumable>>,
        unfinished: &Unfinished,
    ) -> Infallible {
        let mut changes = unfinished.changes();
        loop {
            // Neither ends before the shard does.
            let _ = tokio::select! {
                changed = session.changed() => changed,
                changed = changes.changed() => changed,
            };
            changes.mark_unchanged();
            let now = session.borrow_and_update().clone();
            self.save(now.map(|session| session.leaving(unfinished.events()))).await;
            let _ = timeout(LAG, unfinished.command_ended()).await;
        }
    }
}

fn key(shard: ShardId) -> String {
    format!("session.{}", shard.id)
}
