//! Renews a pod's own key, and keeps its part of the table balanced.

mod balance;

use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;
use futures::StreamExt as _;
use shared::{shutdown::CancellationToken, text::chain};
use tokio::{
    sync::{mpsc, watch},
    time::{MissedTickBehavior, interval, sleep, timeout},
};

use self::balance::Balanced;
use super::{
    Lease,
    fence::Fence,
    owner_table::{OwnerTable, PodState, Resource},
    renewal::{PODS, Renewal, key_of},
    stored_owners::{OWNERS, OwnersRead, StoredOwners},
};
use crate::kv::{Bucket, WriteError};

/// Attempts to write the table before other work comes in between.
const CONFLICTS: u32 = 20;
/// Leases that are given up within this time go into one write. A pod that
/// leaves gives up dozens, and each of its writes makes another pod's fail.
const GATHER: Duration = Duration::from_millis(20);

/// The channels between a keeper and the rest of the process.
#[derive(Debug)]
pub(super) struct KeeperChannels {
    /// Cancelled when the pod hands everything back.
    pub(super) leaving: CancellationToken,
    /// What this pod tells the others about itself.
    pub(super) own: watch::Sender<PodState>,
    /// How many pods live.
    pub(super) count: watch::Sender<usize>,
    /// The total number of shards at the last share-out.
    pub(super) total: watch::Sender<u32>,
    /// Takes granted partitions.
    pub(super) partitions: mpsc::UnboundedSender<Lease>,
    /// Takes granted shards.
    pub(super) shards: mpsc::UnboundedSender<Lease>,
}

/// Runs one pod's part in the sharing.
#[derive(Debug)]
pub struct LeaseKeeper {
    bucket: Bucket,
    ttl: Duration,
    channels: KeeperChannels,
    owners: StoredOwners,
    /// Leases that this process has, also of an earlier life. None of these is
    /// granted again before it is dropped.
    out: BTreeMap<Resource, CancellationToken>,
    dropped: mpsc::UnboundedReceiver<Resource>,
    drop_here: mpsc::UnboundedSender<Resource>,
}

/// Why a life of the pod ended.
enum LifeEnd {
    /// Its key may be gone, or the table that says what it owns.
    Lost,
    /// Everything is handed back.
    Released,
    /// The pod cannot read who owns what, and has given everything up.
    Unreadable,
}

impl LeaseKeeper {
    pub(super) fn new(bucket: Bucket, ttl: Duration, channels: KeeperChannels) -> Self {
        let (drop_here, dropped) = mpsc::unbounded_channel();
        let (owners, out) = (StoredOwners::new(bucket.clone()), BTreeMap::new());
        Self { bucket, ttl, channels, owners, out, dropped, drop_here }
    }

    /// Shares until `done` says that nothing in the process acts any more. Then it
    /// hands back what is left. It calls `joined` with whether this pod shares, or
    /// why it does not.
    pub async fn run(mut self, done: CancellationToken, joined: impl Fn(Result<(), &str>) + Send + Sync) {
        while !done.is_cancelled() {
            let fence = Fence::new(format!("{:016x}", rand::random::<u64>()));
            let mut renewal = Renewal {
                bucket: self.bucket.clone(),
                ttl: self.ttl,
                fence: fence.clone(),
                revision: 0,
                own: self.channels.own.subscribe(),
            };
            if done.run_until_cancelled(self.join(&mut renewal, &joined)).await.is_none() {
                return;
            }
            tracing::info!(pod.id = %fence.pod(), "this pod has joined the others");
            let end = tokio::select! {
                () = renewal.until_lost(&joined) => LifeEnd::Lost,
                () = fence.expired() => LifeEnd::Lost,
                end = self.share(&fence, &done, &joined) => end,
            };
            match end {
                LifeEnd::Released => self.release_all(&fence).await,
                LifeEnd::Lost => {
                    fence.end();
                    joined(Err("the leases are lost: joining the other pods again"));
                    metrics::counter!("sentry_bot_leases_lost_total").increment(self.out.len() as u64);
                    tracing::warn!(pod.id = %fence.pod(), leases = self.out.len(), "this pod could not renew its leases in time, or NATS lost them; it joins again");
                    self.out.values().for_each(CancellationToken::cancel);
                }
                LifeEnd::Unreadable => {
                    fence.end();
                    // If this fails, the key expires by itself.
                    let _ = self.bucket.remove(&key_of(fence.pod())).await;
                }
            }
        }
    }

    /// Writes this life's key for the first time.
    async fn join(&mut self, renewal: &mut Renewal, joined: &(impl Fn(Result<(), &str>) + Send + Sync)) {
        let mut said = false;
        loop {
            // What was dropped meanwhile can be granted again.
            while let Ok(resource) = self.dropped.try_recv() {
                self.out.remove(&resource);
            }
            match self.try_to_join(renewal).await {
                Ok(true) => return,
                Ok(false) if !said => {
                    said = true;
                    tracing::error!(
                        "cannot read who owns what: a newer version wrote it, or it is damaged; \
                         this pod does nothing while others live that may understand it"
                    );
                }
                Ok(false) => {}
                Err(error) => {
                    tracing::debug!("cannot join yet: {error:#}");
                    joined(Err(&format!("cannot join the other pods: {}", chain(&error))));
                }
            }
            sleep(self.ttl / 20).await;
        }
    }

    /// Returns false if this pod cannot read the table while others live, which may be
    /// able to read it.
    ///
    /// A pod that cannot read the table stops all its work before its key expires.
    /// So if no key exists, no pod works, and a new table can begin.
    async fn try_to_join(&mut self, renewal: &mut Renewal) -> anyhow::Result<bool> {
        if let OwnersRead::Unreadable(revision) = self.owners.read().await? {
            if !self.owners.pods().await?.is_empty() {
                return Ok(false);
            }
            self.owners.write(&OwnerTable::default(), revision).await?;
            tracing::warn!("no pod could read the table of leases; a new table replaces it");
        }
        renewal.announce().await?;
        Ok(true)
    }

    /// Keeps this pod's part of the table balanced until `done`.
    async fn share(
        &mut self,
        fence: &Fence,
        done: &CancellationToken,
        joined: &(impl Fn(Result<(), &str>) + Send + Sync),
    ) -> LifeEnd {
        let mut heard = None;
        let mut known: BTreeMap<String, Bytes> = BTreeMap::new();
        let mut look = interval(self.ttl / 10);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            if heard.is_none() {
                heard = self.bucket.listen(">").await.ok();
            }
            let words = async {
                match &mut heard {
                    Some(heard) => heard.next().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                _ = look.tick() => {}
                word = words => match word {
                    Some(word) if is_news(&mut known, self.bucket.key(&word.subject), &word.payload) => {}
                    Some(_) => continue,
                    None => {
                        heard = None;
                        continue;
                    }
                },
                Some(resource) = self.dropped.recv() => {
                    self.out.remove(&resource);
                    sleep(GATHER).await;
                }
                () = self.channels.leaving.cancelled(), if !self.channels.own.borrow().leaving => {
                    self.channels.own.send_modify(|pod| pod.leaving = true);
                }
                () = done.cancelled() => return LifeEnd::Released,
            }
            while let Ok(resource) = self.dropped.try_recv() {
                self.out.remove(&resource);
            }
            match timeout(self.ttl / 2, self.balance(fence)).await {
                Ok(Ok(Balanced::Shared)) => joined(Ok(())),
                Ok(Ok(Balanced::Lost)) => return LifeEnd::Lost,
                Ok(Ok(Balanced::Unreadable)) => {
                    joined(Err("cannot read who owns what: a newer version wrote it, or it is damaged"));
                    self.out.values().for_each(CancellationToken::cancel);
                    if self.out.is_empty() {
                        return LifeEnd::Unreadable;
                    }
                }
                Ok(Err(error)) => {
                    tracing::debug!("cannot share now: {error:#}");
                    joined(Err(&format!("cannot look at the leases: {}", chain(&error))));
                }
                Err(_) => {
                    tracing::debug!("cannot share now: NATS does not answer in time");
                    joined(Err("cannot look at the leases: NATS does not answer in time"));
                }
            }
        }
    }

    async fn release_all(&mut self, fence: &Fence) {
        let ttl = self.ttl;
        let left = async {
            for _ in 0..CONFLICTS {
                let OwnersRead::Readable(table, revision) = self.owners.read().await? else { break };
                let mut next = table.clone();
                table.of(fence.pod()).into_iter().for_each(|resource| next.clear(resource));
                match self.owners.write(&next, revision).await {
                    Ok(()) => break,
                    Err(WriteError::Conflict) => {}
                    Err(WriteError::Failed(error)) => return Err(error),
                }
            }
            self.bucket.remove(&key_of(fence.pod())).await.map(drop)
        };
        // Other pods take over a little later what cannot be handed back.
        match timeout(ttl, left).await {
            Ok(Ok(())) => tracing::info!("handed all leases back"),
            Ok(Err(error)) => tracing::warn!("cannot hand the leases back: {}", chain(&error)),
            Err(_) => tracing::warn!("cannot hand the leases back in time"),
        }
        fence.end();
    }
}

/// Whether the write may change this pod's part. A renewal without a change does not.
fn is_news(known: &mut BTreeMap<String, Bytes>, key: &str, value: &Bytes) -> bool {
    if key == OWNERS {
        return true;
    }
    key.starts_with(PODS) && known.insert(key.to_owned(), value.clone()).as_ref() != Some(value)
}
