//! Keeps a pod's own key alive, and its part of the table as it should be.

mod settle;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use bytes::Bytes;
use futures::StreamExt as _;
use shared::{shutdown::CancellationToken, text::chain};
use tokio::{
    sync::{mpsc, watch},
    time::{MissedTickBehavior, interval, sleep, timeout},
};

use self::settle::Settled;
use super::{
    Lease,
    bucket::{self, Bucket, PutError},
    owners::{OWNERS, Owners, Standing},
    renewal::{PODS, Renewal, announce, key_of},
    table::{Pod, Resource, Table},
    tenure::Tenure,
};

/// So often the table is written in vain before others are let in between.
const CONFLICTS: u32 = 20;
/// What is put down within this time goes into one write: a pod that leaves puts
/// down dozens of things, and each write of it makes another pod's fail.
const GATHER: Duration = Duration::from_millis(20);

/// What a keeper is told by the rest of the process, and what it tells.
#[derive(Debug)]
pub(super) struct Ports {
    /// Cancelled when everything is to be handed back.
    pub(super) leaving: CancellationToken,
    /// What this pod tells the others of itself.
    pub(super) own: watch::Sender<Pod>,
    /// How many pods live.
    pub(super) count: watch::Sender<usize>,
    /// The number of shards as of which they were shared last.
    pub(super) shared: watch::Sender<u32>,
    /// Takes the partitions that are granted.
    pub(super) partitions: mpsc::UnboundedSender<Lease>,
    /// Takes the shards that are granted.
    pub(super) shards: mpsc::UnboundedSender<Lease>,
}

/// Runs one pod's part in the sharing.
#[derive(Debug)]
pub struct Keeper {
    bucket: Bucket,
    ttl: Duration,
    ports: Ports,
    owners: Owners,
    /// Leases that somebody in this process has, also of an earlier life: none
    /// of these is granted again before it is dropped.
    out: BTreeMap<Resource, CancellationToken>,
    dropped: mpsc::UnboundedReceiver<Resource>,
    drop_here: mpsc::UnboundedSender<Resource>,
}

/// Why a life of the pod ended.
enum End {
    /// Its key may be gone, or the table that says what it owns.
    Lost,
    /// Everything is handed back.
    Left,
    /// It cannot read who owns what, and has put everything down.
    Blind,
}

impl Keeper {
    pub(super) fn new(bucket: Bucket, ttl: Duration, ports: Ports) -> Self {
        let (drop_here, dropped) = mpsc::unbounded_channel();
        let (owners, out) = (Owners::new(bucket.clone()), BTreeMap::new());
        Self { bucket, ttl, ports, owners, out, dropped, drop_here }
    }

    /// Shares until the process is leaving and `done` says that nothing acts any
    /// more, then hands back what is left. `joined` is told whether this pod is
    /// one of those that share, and what keeps it from that.
    pub async fn run(mut self, done: CancellationToken, joined: impl Fn(Result<(), &str>) + Send + Sync) {
        while !done.is_cancelled() {
            let tenure = Arc::new(Tenure::new(format!("{:016x}", rand::random::<u64>())));
            let Some(revision) = done.run_until_cancelled(self.join(&tenure, &joined)).await else { return };
            let mut renewal = Renewal {
                bucket: self.bucket.clone(),
                ttl: self.ttl,
                tenure: tenure.clone(),
                revision,
                own: self.ports.own.subscribe(),
            };
            tracing::info!(pod.id = %tenure.pod, "this pod has joined the others");
            let end = tokio::select! {
                () = renewal.until_lost(&joined) => End::Lost,
                () = tenure.expired() => End::Lost,
                end = self.share(&tenure, &done, &joined) => end,
            };
            match end {
                End::Left => self.leave(&tenure).await,
                End::Lost => {
                    tenure.end();
                    joined(Err("the leases are lost: joining the other pods anew"));
                    metrics::counter!("sentry_bot_leases_lost_total").increment(self.out.len() as u64);
                    tracing::warn!(pod.id = %tenure.pod, leases = self.out.len(), "the leases could not be renewed in time, or are lost; joining anew");
                    self.out.values().for_each(CancellationToken::cancel);
                }
                End::Blind => {
                    tenure.end();
                    // What is not removed here goes by itself.
                    let _ = self.bucket.remove(&key_of(&tenure.pod)).await;
                }
            }
        }
    }

    /// Writes this life's key for the first time.
    async fn join(&mut self, tenure: &Tenure, joined: &(impl Fn(Result<(), &str>) + Send + Sync)) -> u64 {
        let mut said = false;
        loop {
            // What was dropped meanwhile is free to be granted again.
            while let Ok(resource) = self.dropped.try_recv() {
                self.out.remove(&resource);
            }
            match self.try_to_join(tenure).await {
                Ok(Some(revision)) => return revision,
                Ok(None) if !said => {
                    said = true;
                    tracing::error!(
                        "cannot read who owns what: a newer version wrote it, or it is damaged; \
                         this pod does nothing while others live that may understand it"
                    );
                }
                Ok(None) => {}
                Err(error) => {
                    tracing::debug!("cannot join yet: {error:#}");
                    joined(Err(&format!("cannot join the other pods: {}", chain(&error))));
                }
            }
            sleep(self.ttl / 20).await;
        }
    }

    /// `None` where this pod cannot read the table and others live that may.
    ///
    /// Whoever cannot read it has put everything down before its key went, so
    /// where no key stands nobody acts, and the table can begin anew.
    async fn try_to_join(&mut self, tenure: &Tenure) -> anyhow::Result<Option<u64>> {
        if let Standing::Unreadable(revision) = self.owners.read().await? {
            if !self.owners.pods().await?.is_empty() {
                return Ok(None);
            }
            self.owners.write(&Table::default(), revision).await?;
            tracing::warn!("nobody could read who owns what; shared everything anew");
        }
        Ok(Some(announce(&self.bucket, self.ttl, tenure, &self.ports.own.subscribe(), 0).await?))
    }

    /// Keeps this pod's part of the table right, until everything is done.
    async fn share(
        &mut self,
        tenure: &Arc<Tenure>,
        done: &CancellationToken,
        joined: &(impl Fn(Result<(), &str>) + Send + Sync),
    ) -> End {
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
                    sleep(GATHER).await;
                }
                () = self.ports.leaving.cancelled(), if !self.ports.own.borrow().leaving => {
                    self.ports.own.send_modify(|pod| pod.leaving = true);
                }
                () = done.cancelled() => return End::Left,
            }
            while let Ok(resource) = self.dropped.try_recv() {
                self.out.remove(&resource);
            }
            match timeout(self.ttl / 2, self.settle(tenure)).await {
                Ok(Ok(Settled::Shared)) => joined(Ok(())),
                Ok(Ok(Settled::Disowned)) => return End::Lost,
                Ok(Ok(Settled::Unreadable)) => {
                    joined(Err("cannot read who owns what: a newer version wrote it, or it is damaged"));
                    self.out.values().for_each(CancellationToken::cancel);
                    if self.out.is_empty() {
                        return End::Blind;
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

    async fn leave(&mut self, tenure: &Tenure) {
        let ttl = self.ttl;
        let left = async {
            for _ in 0..CONFLICTS {
                let Standing::Table(table, revision) = self.owners.read().await? else { break };
                let mut next = table.clone();
                table.of(&tenure.pod).into_iter().for_each(|resource| next.clear(resource));
                match self.owners.write(&next, revision).await {
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
            Ok(Err(error)) => tracing::warn!("cannot hand the leases back: {}", chain(&error)),
            Err(_) => tracing::warn!("cannot hand the leases back in time"),
        }
        tenure.end();
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
