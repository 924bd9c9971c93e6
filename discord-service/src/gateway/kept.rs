//! Where each shard's session stands, kept in NATS, so that the pod that has the
//! shard next goes on with the session: Discord then sends what came meanwhile,
//! and no IDENTIFY is spent.

use std::{convert::Infallible, future::pending, time::Duration};

use serde::{Deserialize, Serialize};
use tokio::{sync::watch, time::sleep};

use super::{ShardId, session::Resumable};
use crate::lease::{Bucket, Life};

/// How far what is kept may lag behind. After a crash the events since then are
/// heard twice, and answered once, since a reply has a nonce.
const LAG: Duration = Duration::from_millis(500);

/// What is written down. A reader that knows fewer fields ignores the others.
#[derive(Serialize, Deserialize)]
struct Kept {
    total: u32,
    session: Resumable,
}

/// The session that a predecessor left, if there is one.
pub(super) async fn load(bucket: &Bucket, shard: ShardId) -> Option<Resumable> {
    let entry = match bucket.get(&key(shard)).await {
        Ok(entry) => entry?,
        Err(error) => {
            tracing::debug!(shard.id, "cannot look for the shard's session: {error:#}");
            return None;
        }
    };
    let kept: Kept = serde_json::from_slice(&entry.value).ok()?;
    (kept.total == shard.total).then_some(kept.session)
}

/// Writes down where the session stands.
pub(super) async fn save(bucket: &Bucket, shard: ShardId, session: Option<Resumable>) {
    let saved = match session {
        Some(session) => match serde_json::to_vec(&Kept { total: shard.total, session }) {
            Ok(value) => {
                bucket.put(&key(shard), value.into(), None, Life::Ever).await.map(drop).map_err(Into::into)
            }
            Err(error) => Err(error.into()),
        },
        None => bucket.remove(&key(shard)).await,
    };
    if let Err(error) = saved {
        tracing::debug!(shard.id, "cannot write down where the session stands: {error:#}");
    }
}

/// Keeps writing it down.
pub(super) async fn follow(
    bucket: &Bucket,
    shard: ShardId,
    mut session: watch::Receiver<Option<Resumable>>,
) -> Infallible {
    while session.changed().await.is_ok() {
        let now = session.borrow_and_update().clone();
        save(bucket, shard, now).await;
        sleep(LAG).await;
    }
    pending().await
}

fn key(shard: ShardId) -> String {
    format!("session.{}", shard.id)
}
