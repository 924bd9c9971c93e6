//! Which pod serves which partition of the alerts and which shard of the
//! gateway. Each has one owner at a time, the shares are fair, and no setting
//! names the number of pods.
//!
//! A pod writes its own key again and again. NATS removes the key
//! `LEASE_TTL_SECS` after the last time, and a removed key never comes back.
//! One table has all owners, and only compare-and-set changes it. A pod takes
//! an entry over when its owner has cleared it, or when the owner's key is
//! gone. A pod that cannot renew its key stops acting a fifth of that time
//! before NATS can remove it. It checks its own clocks at every step (see
//! `fence`). Then it begins again with another id.
//!
//! There is no key for each lease, because 64 partitions would need 64 writes
//! instead of one. A hand-over of many would take as many steps.
//!
//! The KV bucket `leases` holds:
//!
//! | key | what | life |
//! |---|---|---|
//! | `pod.<id>` | a pod that lives, while the key exists | `LEASE_TTL_SECS` |
//! | `owners` | who owns what; see `owner_table` | for ever |
//! | `session.<shard>` | a gateway session that another pod can go on with | for ever |
//! | `identify.<n>` | taken while no other shard may identify | seconds |

mod fence;
mod keeper;
mod owner_table;
mod renewal;
mod stored_owners;

use std::time::Duration;

use async_nats::jetstream;
use shared::{shutdown::CancellationToken, wire};
use tokio::sync::{mpsc, watch};

pub use self::{fence::Fence, keeper::LeaseKeeper, owner_table::Resource};
use self::{keeper::KeeperChannels, owner_table::PodState};
use crate::kv::Bucket;

/// This pod's part in the sharing, for the parts of the process that use it.
#[derive(Debug)]
pub struct Membership {
    /// Renews this pod's key and grants leases, while it runs.
    pub keeper: LeaseKeeper,
    /// Partitions of the alerts, as this pod comes to own them.
    pub partitions: mpsc::UnboundedReceiver<Lease>,
    /// The same for the gateway's shards.
    pub shards: Shards,
    /// How many pods live, this one included.
    pub pods: watch::Receiver<usize>,
}

/// The gateway's part.
#[derive(Debug)]
pub struct Shards {
    /// Shards, as this pod comes to own them.
    pub grants: mpsc::UnboundedReceiver<Lease>,
    /// The bucket in which the gateways of all pods keep their sessions and slots.
    pub(crate) bucket: Bucket,
    /// The total number of shards at the last share-out.
    pub(crate) total: watch::Receiver<u32>,
    own: watch::Sender<PodState>,
}

impl Shards {
    /// Discord wants the bot to have this many shards. The largest number of all
    /// living pods counts. A pod that names none gets no shards.
    pub fn set_total(&self, total: u32) {
        self.own.send_modify(|pod| pod.shards = total);
    }
}

impl Membership {
    /// A pod that shares with all others in this NATS. A lease lasts for `ttl`, in
    /// whole seconds, after its owner's last renewal. The pod hands all leases back
    /// when `leaving` is cancelled.
    pub fn new(nats: &async_nats::Client, ttl: Duration, leaving: CancellationToken) -> Self {
        let mut js = jetstream::new(nats.clone());
        // No request may take so long that the key is not renewed in time.
        js.set_timeout(ttl / 5);
        let bucket = Bucket::new(&js, wire::LEASES);
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let own = watch::Sender::new(PodState { version, ..PodState::default() });
        let (partition_grants, partitions) = mpsc::unbounded_channel();
        let (shard_grants, grants) = mpsc::unbounded_channel();
        let (count, pods) = watch::channel(1);
        let (agreed_total, total) = watch::channel(0);
        let channels = KeeperChannels {
            leaving,
            own: own.clone(),
            count,
            total: agreed_total,
            partitions: partition_grants,
            shards: shard_grants,
        };
        let keeper = LeaseKeeper::new(bucket.clone(), ttl, channels);
        Self { keeper, partitions, shards: Shards { grants, bucket, total, own }, pods }
    }
}

/// The right to be the only pod that serves a resource. Dropping it gives it up, so
/// stop the work first.
#[derive(Debug)]
pub struct Lease {
    resource: Resource,
    fence: Fence,
    stop: CancellationToken,
    pods: watch::Receiver<usize>,
    dropped: mpsc::UnboundedSender<Resource>,
}

impl Lease {
    /// What the pod may serve.
    pub const fn resource(&self) -> Resource {
        self.resource
    }

    /// Cancelled when another pod gets the lease, or the process ends. Finish what
    /// is under way, then drop the lease.
    pub const fn stop(&self) -> &CancellationToken {
        &self.stop
    }

    /// The fence of this pod, which outlives the lease.
    pub fn fence(&self) -> Fence {
        self.fence.clone()
    }

    /// Whether another pod lives that can continue the work.
    pub fn has_heir(&self) -> bool {
        *self.pods.borrow() > 1
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // If the keeper is gone, the pod's key expires, and the lease with it.
        let _ = self.dropped.send(self.resource);
    }
}
