//! One look at the table: this pod gives up some leases and takes others.

use std::{collections::BTreeSet, time::Duration};

use tokio::time::sleep;

use super::{CONFLICTS, LeaseKeeper};
use crate::{
    kv::WriteError,
    lease::{
        Fence, Lease,
        owner_table::{OwnerTable, Resource},
        stored_owners::OwnersRead,
    },
};

/// The longest wait after another pod's write came first; it grows with each attempt.
const STEP_ASIDE: Duration = Duration::from_millis(5);

/// How a look at the table ended.
pub(super) enum Balanced {
    /// This pod's part is as it should be.
    Shared,
    /// It cannot be read.
    Unreadable,
    /// NATS has lost this pod's key, or the table no longer says that the pod owns
    /// what it has. Other pods share it.
    Lost,
}

impl LeaseKeeper {
    /// Brings this pod's part of the table up to date.
    pub(super) async fn balance(&mut self, fence: &Fence) -> anyhow::Result<Balanced> {
        for attempt in 1..=CONFLICTS {
            let OwnersRead::Readable(table, revision) = self.owners.read().await? else {
                return Ok(Balanced::Unreadable);
            };
            // Read after the table: an owner in the table without a key is gone for good.
            let pods = self.owners.pods().await?;
            // Also while it can be renewed: NATS's index of keys may have suffered in a crash.
            let Some(own) = pods.get(fence.pod()) else { return Ok(Balanced::Lost) };
            self.channels.count.send_if_modified(|count| std::mem::replace(count, pods.len()) != pods.len());
            let mine = table.of(fence.pod());
            // No other pod removes this pod from the table, so the table went back in time or is gone.
            if self.out.iter().any(|(resource, stop)| !stop.is_cancelled() && !mine.contains(resource)) {
                return Ok(Balanced::Lost);
            }
            let idle = mine.iter().filter(|resource| !self.out.contains_key(resource)).copied().collect();
            let mut plan = table.plan(&pods, fence.pod(), &idle);
            if own.leaving || self.channels.leaving.is_cancelled() {
                plan.acquire.clear();
                plan.release = mine.iter().copied().collect();
            }
            let mut next = table.clone();
            for resource in &plan.release {
                match self.out.get(resource) {
                    Some(stop) => stop.cancel(),
                    None => next.clear(*resource),
                }
            }
            plan.acquire.retain(|resource| !self.out.contains_key(resource));
            for resource in &plan.acquire {
                next.set(*resource, fence.pod());
            }
            // A write that is still on its way must fail before this grants anything.
            if next != table || self.owners.may_change(revision) {
                match self.owners.write(&next, revision).await {
                    Ok(()) => count_takeovers(&table, &plan.acquire),
                    Err(WriteError::Conflict) => {
                        sleep((STEP_ASIDE * attempt).mul_f64(rand::random())).await;
                        continue;
                    }
                    Err(WriteError::Failed(error)) => return Err(error),
                }
            }
            self.grant(&next, fence);
            self.channels.total.send_replace(own.shards);
            return Ok(Balanced::Shared);
        }
        anyhow::bail!("others write the table all the time")
    }

    /// Hands out the leases that the table gives to this pod.
    fn grant(&mut self, table: &OwnerTable, fence: &Fence) {
        let mine = table.of(fence.pod());
        for kind in ["partition", "shard"] {
            let held = mine.iter().filter(|resource| resource.kind() == kind).count();
            metrics::gauge!("sentry_bot_leases_held", "kind" => kind).set(held as f64);
        }
        for resource in mine {
            if self.out.contains_key(&resource) || self.channels.leaving.is_cancelled() {
                continue;
            }
            let stop = self.channels.leaving.child_token();
            self.out.insert(resource, stop.clone());
            let lease = Lease {
                resource,
                fence: fence.clone(),
                stop,
                pods: self.channels.count.subscribe(),
                dropped: self.drop_here.clone(),
            };
            let takers = match resource {
                Resource::Partition(_) => &self.channels.partitions,
                Resource::Shard { .. } => &self.channels.shards,
            };
            // Without a receiver the lease is dropped, which gives it up.
            let _ = takers.send(lease);
        }
    }
}

fn count_takeovers(before: &OwnerTable, claimed: &[Resource]) {
    let orphans = claimed.iter().filter(|resource| before.owner(**resource).is_some());
    let orphans: BTreeSet<&Resource> = orphans.collect();
    if !orphans.is_empty() {
        metrics::counter!("sentry_bot_lease_takeovers_total").increment(orphans.len() as u64);
        tracing::info!(leases = orphans.len(), "took over from a pod that is gone");
    }
}
