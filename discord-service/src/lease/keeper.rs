//! Keeps a pod's own key alive, and its part of the table as it should be.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use anyhow::Context as _;
use bytes::Bytes;
use futures::StreamExt as _;
use shared::shutdown::CancellationToken;
use tokio::{
    sync::{mpsc, watch},
    time::{MissedTickBehavior, interval, sleep, timeout},
};

use super::{
    Fence, Lease,
    bucket::{self, Bucket, Entry, Life, PutError},
    renewal::{PODS, Renewal, announce, key_of},
    table::{Pod, Pods, Resource, Table},
    tenure::Tenure,
};

/// The key of the table.
const OWNERS: &str = "owners";
/// So often the table is written in vain before others are let in between.
const CONFLICTS: usize = 20;

/// Runs one pod's part in the sharing.
#[derive(Debug)]
pub struct Keeper {
    bucket: Bucket,
    ttl: Duration,
    leaving: CancellationToken,
    told: watch::Sender<Pod>,
    own: watch::Receiver<Pod>,
    count: watch::Sender<usize>,
    shared: watch::Sender<u32>,
    partitions: mpsc::UnboundedSender<Lease>,
    shards: mpsc::UnboundedSender<Lease>,
    /// Leases that somebody in this process has, also of an earlier life: none
    /// of these is granted again before it is dropped.
    out: BTreeMap<Resource, CancellationToken>,
    dropped: mpsc::UnboundedReceiver<Resource>,
    /// The revision that a write of the table was to replace which nobody has
    /// confirmed: it may still be on its way.
    unconfirmed: Option<u64>,
    drop_here: mpsc::UnboundedSender<Resource>,
}

/// Why a life of the pod ended.
enum End {
    /// Its key may be gone.
    Lost,
    /// Everything is handed back.
    Left,
}

impl Keeper {
    #[expect(clippy::too_many_arguments, reason = "called in one place, which makes them all")]
    pub(super) fn new(
        bucket: Bucket,
        ttl: Duration,
        leaving: CancellationToken,
        told: watch::Sender<Pod>,
        own: watch::Receiver<Pod>,
        count: watch::Sender<usize>,
        shared: watch::Sender<u32>,
        partitions: mpsc::UnboundedSender<Lease>,
        shards: mpsc::UnboundedSender<Lease>,
    ) -> Self {
        let (drop_here, dropped) = mpsc::unbounded_channel();
        let out = BTreeMap::new();
        Self {
            bucket,
            ttl,
            leaving,
            told,
            own,
            count,
            shared,
            partitions,
            shards,
            out,
            dropped,
            unconfirmed: None,
            drop_here,
        }
    }

    /// Shares until the process is leaving and `done` says that nothing acts any
    /// more, then hands back what is left. `joined` is told whether this pod is
    /// one of those that share.
    pub async fn run(mut self, done: CancellationToken, joined: impl Fn(bool) + Send + Sync) {
        while !done.is_cancelled() {
            let tenure = Arc::new(Tenure::new(format!("{:016x}", rand::random::<u64>())));
            let Some(revision) = done.run_until_cancelled(self.join(&tenure)).await else { return };
            let mut renewal = Renewal {
                bucket: self.bucket.clone(),
                ttl: self.ttl,
                tenure: tenure.clone(),
                revision,
                own: self.own.clone(),
            };
            tracing::info!(pod.id = %tenure.pod, "this pod has joined the others");
            let end = tokio::select! {
                () = renewal.until_lost() => End::Lost,
                () = tenure.expired() => End::Lost,
                () = self.share(&tenure, &done, &joined) => End::Left,
            };
            match end {
                End::Left => self.leave(&tenure).await,
                End::Lost => {
                    tenure.end();
                    joined(false);
                    metrics::counter!("sentry_bot_leases_lost_total").increment(self.out.len() as u64);
                    tracing::warn!(pod.id = %tenure.pod, leases = self.out.len(), "could not renew the leases in time; joining anew");
                    self.out.values().for_each(CancellationToken::cancel);
                }
            }
        }
    }

    /// Writes this life's key for the first time.
    async fn join(&mut self, tenure: &Tenure) -> u64 {
        loop {
            // What was dropped meanwhile is free to be granted again.
            while let Ok(resource) = self.dropped.try_recv() {
                self.out.remove(&resource);
            }
            match announce(&self.bucket, self.ttl, tenure, &self.own, 0).await {
                Ok(revision) => return revision,
                Err(error) => tracing::debug!("cannot join yet: {error:#}"),
            }
            sleep(self.ttl / 20).await;
        }
    }

    /// Keeps this pod's part of the table right, until everything is done.
    async fn share(
        &mut self,
        tenure: &Arc<Tenure>,
        done: &CancellationToken,
        joined: &(impl Fn(bool) + Send + Sync),
    ) {
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
                    Some(word) if is_news(&mut known, &word) => {}
                    Some(_) => continue,
                    None => {
                        heard = None;
                        continue;
                    }
                },
                Some(resource) = self.dropped.recv() => {
                    self.out.remove(&resource);
                }
                () = self.leaving.cancelled(), if !self.own.borrow().leaving => {
                    self.told.send_modify(|pod| pod.leaving = true);
                }
                () = done.cancelled() => return,
            }
            while let Ok(resource) = self.dropped.try_recv() {
                self.out.remove(&resource);
            }
            match timeout(self.ttl / 2, self.settle(tenure)).await {
                Ok(Ok(())) => joined(true),
                Ok(Err(error)) => tracing::debug!("cannot share now: {error:#}"),
                Err(_) => tracing::debug!("cannot share now: NATS does not answer in time"),
            }
        }
    }

    /// Brings this pod's part of the table to what it should be.
    async fn settle(&mut self, tenure: &Arc<Tenure>) -> anyhow::Result<()> {
        for _ in 0..CONFLICTS {
            let (table, revision) = self.table().await?;
            // After the table: whoever stands in it and is not here, is gone for good.
            let pods = self.pods().await?;
            let Some(own) = pods.get(&tenure.pod) else { anyhow::bail!("this pod's own key is gone") };
            self.count.send_if_modified(|count| std::mem::replace(count, pods.len()) != pods.len());
            let mine = table.of(&tenure.pod);
            let idle = mine.iter().filter(|resource| !self.out.contains_key(resource)).copied().collect();
            let mut plan = table.plan(&pods, &tenure.pod, &idle);
            if own.leaving || self.leaving.is_cancelled() {
                plan.claim.clear();
                plan.give_up = mine.iter().copied().collect();
            }
            let mut next = table.clone();
            for resource in &plan.give_up {
                match self.out.get(resource) {
                    Some(stop) => stop.cancel(),
                    None => next.clear(*resource),
                }
            }
            plan.claim.retain(|resource| !self.out.contains_key(resource));
            for resource in &plan.claim {
                next.set(*resource, &tenure.pod);
            }
            // A write that is still on its way must fail before anything is granted.
            if next != table || self.unconfirmed == Some(revision) {
                match self.write(&next, revision).await {
                    Ok(()) => count_takeovers(&table, &plan.claim),
                    Err(PutError::Conflict) => continue,
                    Err(PutError::Failed(error)) => return Err(error),
                }
            }
            self.grant(&next, tenure);
            self.shared.send_replace(own.shards);
            return Ok(());
        }
        anyhow::bail!("others write the table all the time")
    }

    /// Hands out what the table says is this pod's.
    fn grant(&mut self, table: &Table, tenure: &Arc<Tenure>) {
        let mine = table.of(&tenure.pod);
        for kind in ["partition", "shard"] {
            let held = mine.iter().filter(|resource| resource.kind() == kind).count();
            metrics::gauge!("sentry_bot_leases_held", "kind" => kind).set(held as f64);
        }
        for resource in mine {
            if self.out.contains_key(&resource) || self.leaving.is_cancelled() {
                continue;
            }
            let stop = self.leaving.child_token();
            self.out.insert(resource, stop.clone());
            let lease = Lease {
                resource,
                fence: Fence(tenure.clone()),
                stop,
                pods: self.count.subscribe(),
                dropped: self.drop_here.clone(),
            };
            let takers = match resource {
                Resource::Partition(_) => &self.partitions,
                Resource::Shard { .. } => &self.shards,
            };
            // Dropped where nobody takes it, which gives it up.
            let _ = takers.send(lease);
        }
    }

    async fn leave(&mut self, tenure: &Tenure) {
        let ttl = self.ttl;
        let left = async {
            for _ in 0..CONFLICTS {
                let (table, revision) = self.table().await?;
                let mut next = table.clone();
                table.of(&tenure.pod).into_iter().for_each(|resource| next.clear(resource));
                match self.write(&next, revision).await {
                    Ok(()) => break,
                    Err(PutError::Conflict) => {}
                    Err(PutError::Failed(error)) => return Err(error),
                }
            }
            self.bucket.remove(&key_of(&tenure.pod)).await
        };
        // What cannot be handed back is taken over a little later.
        match timeout(ttl, left).await {
            Ok(Ok(())) => tracing::info!("handed all leases back"),
            Ok(Err(error)) => tracing::warn!("cannot hand the leases back: {error:#}"),
            Err(_) => tracing::warn!("cannot hand the leases back in time"),
        }
        tenure.end();
    }

    async fn table(&self) -> anyhow::Result<(Table, u64)> {
        match self.bucket.get(OWNERS).await? {
            None => Ok((Table::default(), 0)),
            Some(Entry { revision, value }) => {
                let table = serde_json::from_slice(&value).context("the table of leases is unreadable")?;
                Ok((table, revision))
            }
        }
    }

    async fn write(&mut self, table: &Table, revision: u64) -> Result<(), PutError> {
        let value = serde_json::to_vec(table).context("cannot encode the table of leases")?;
        self.unconfirmed = Some(revision);
        let written = self.bucket.put(OWNERS, value.into(), Some(revision), Life::Ever).await.map(drop);
        if matches!(written, Ok(()) | Err(PutError::Conflict)) {
            self.unconfirmed = None;
        }
        written
    }

    async fn pods(&self) -> anyhow::Result<Pods> {
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

/// Whether something was written that may change this pod's part: renewals of
/// others are not.
fn is_news(known: &mut BTreeMap<String, Bytes>, word: &async_nats::Message) -> bool {
    let key = bucket::key(&word.subject);
    if key == OWNERS {
        return true;
    }
    key.starts_with(PODS)
        && known.insert(key.to_owned(), word.payload.clone()).as_ref() != Some(&word.payload)
}

fn count_takeovers(before: &Table, claimed: &[Resource]) {
    let orphans = claimed.iter().filter(|resource| before.owner(**resource).is_some());
    let orphans: BTreeSet<&Resource> = orphans.collect();
    if !orphans.is_empty() {
        metrics::counter!("sentry_bot_lease_takeovers_total").increment(orphans.len() as u64);
        tracing::info!(leases = orphans.len(), "took over from a pod that is gone");
    }
}
