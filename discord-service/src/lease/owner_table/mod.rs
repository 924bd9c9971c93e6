//! Who owns what, and who should. Pure.
//!
//! All owners are in one table under one key, and only compare-and-set changes
//! it. So a hand-over of many leases is one write, and all pods see the same
//! owners at a revision. A lease counts for as long as its owner's own key
//! exists, so that renewing all of them is one small write a pod.
//!
//! Every pod's share is exact to one. Rendezvous hashing alone could give one
//! of three pods 15 of 64 partitions and another 27, or none of 12 shards. Here
//! it only chooses which ones move, so that no more move than must.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    str::FromStr,
};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use shared::wire;

/// One life of a pod: a pod that lost its leases goes on under another id.
pub(crate) type PodId = String;

/// What one pod at a time serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resource {
    /// A partition of the alerts.
    Partition(u64),
    /// A shard of the gateway.
    Shard {
        /// Its number.
        id: u32,
        /// How many there are.
        total: u32,
    },
}

impl Resource {
    /// For metrics.
    pub(crate) const fn kind(self) -> &'static str {
        match self {
            Self::Partition(_) => "partition",
            Self::Shard { .. } => "shard",
        }
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Partition(number) => write!(f, "partition.{number}"),
            Self::Shard { id, total } => write!(f, "shard.{id}.{total}"),
        }
    }
}

impl FromStr for Resource {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let number = |text: &str| text.parse().map_err(|_| ());
        match text.split('.').collect::<Vec<_>>()[..] {
            ["partition", partition] => partition.parse().map(Self::Partition).map_err(|_| ()),
            ["shard", id, total] => Ok(Self::Shard { id: number(id)?, total: number(total)? }),
            _ => Err(()),
        }
    }
}

/// What a pod tells the others in its own key.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct PodState {
    /// The pod is about to end and takes nothing more.
    #[serde(default)]
    pub(crate) leaving: bool,
    /// How many shards Discord wants, as the pod asked; 0 before it has asked.
    #[serde(default)]
    pub(crate) shards: u32,
    /// For people who look into the bucket.
    #[serde(default)]
    pub(crate) version: String,
}

/// The pods that live.
pub(crate) type Pods = BTreeMap<PodId, PodState>;

/// Who owns what, as it is stored. Fields of a newer version stay as they are.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct OwnerTable {
    #[serde(default)]
    owners: BTreeMap<String, PodId>,
    #[serde(flatten)]
    more: BTreeMap<String, serde_json::Value>,
}

/// What a pod should do about the table.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct LeasePlan {
    /// Without a living owner, and due to this pod.
    pub(crate) acquire: Vec<Resource>,
    /// Owned by this pod, and due to others.
    pub(crate) release: Vec<Resource>,
}

impl OwnerTable {
    pub(crate) fn owner(&self, resource: Resource) -> Option<&PodId> {
        self.owners.get(&resource.to_string())
    }

    pub(crate) fn set(&mut self, resource: Resource, owner: &PodId) {
        self.owners.insert(resource.to_string(), owner.clone());
    }

    pub(crate) fn clear(&mut self, resource: Resource) {
        self.owners.remove(&resource.to_string());
    }

    /// What this pod owns.
    pub(crate) fn of(&self, pod: &PodId) -> BTreeSet<Resource> {
        let own = self.owners.iter().filter(|(_, owner)| *owner == pod);
        own.filter_map(|(resource, _)| resource.parse().ok()).collect()
    }

    /// What the pod `me` should do. It prefers to give up what it does not serve any
    /// more (`idle`).
    pub(crate) fn plan(&self, pods: &Pods, me: &PodId, idle: &BTreeSet<Resource>) -> LeasePlan {
        let total = pods.values().map(|pod| pod.shards).max().unwrap_or(0);
        let mut plan = LeasePlan::default();
        let partitions = (0..wire::PARTITIONS).map(Resource::Partition).collect();
        self.plan_kind(&partitions, pods, |pod| !pod.leaving, me, idle, &mut plan);
        let shards: BTreeSet<_> = (0..total).map(|id| Resource::Shard { id, total }).collect();
        self.plan_kind(&shards, pods, |pod| !pod.leaving && pod.shards > 0, me, idle, &mut plan);
        let outdated =
            |resource: &Resource| matches!(resource, Resource::Shard { total: other, .. } if *other != total);
        plan.release.extend(self.of(me).into_iter().filter(outdated));
        // Shards of two totals would hear the same guild.
        let live = |owner: &PodId| pods.contains_key(owner);
        let of_old = |(name, owner): (&String, &PodId)| {
            live(owner) && name.parse().is_ok_and(|resource| outdated(&resource))
        };
        if self.owners.iter().any(of_old) {
            plan.acquire.retain(|resource| matches!(resource, Resource::Partition(_)));
        }
        plan
    }

    fn plan_kind(
        &self,
        all: &BTreeSet<Resource>,
        pods: &Pods,
        eligible: impl Fn(&PodState) -> bool,
        me: &PodId,
        idle: &BTreeSet<Resource>,
        plan: &mut LeasePlan,
    ) {
        let mut free = Vec::new();
        let mut held: BTreeMap<&PodId, usize> =
            pods.iter().filter(|(_, pod)| eligible(pod)).map(|(id, _)| (id, 0)).collect();
        for &resource in all {
            match self.owner(resource).filter(|owner| pods.contains_key(*owner)) {
                None => free.push(resource),
                Some(owner) => {
                    held.entry(owner).and_modify(|count| *count += 1);
                }
            }
        }
        let share = share(&held, all.len(), me);
        let mut own: Vec<_> = self.of(me).intersection(all).copied().collect();
        own.sort_by_key(|resource| (!idle.contains(resource), score(me, *resource)));
        plan.release.extend(own.iter().take(own.len().saturating_sub(share)));
        free.sort_by_key(|resource| std::cmp::Reverse(score(me, *resource)));
        plan.acquire.extend(free.iter().take(share.saturating_sub(own.len())));
    }
}

/// How many of `all` things the pod `me` should have. Each pod has the same
/// number. The rest goes to those that have the most already, one each.
fn share(held: &BTreeMap<&PodId, usize>, all: usize, me: &PodId) -> usize {
    if !held.contains_key(me) {
        return 0;
    }
    let mut order: Vec<_> = held.iter().map(|(id, count)| (std::cmp::Reverse(*count), *id)).collect();
    order.sort();
    let place = order.iter().position(|(_, id)| *id == me).unwrap_or(0);
    all / held.len() + usize::from(place < all % held.len())
}

/// Rendezvous hashing: the pod with the highest score is the best owner.
fn score(pod: &str, resource: Resource) -> [u8; 32] {
    Sha256::new().chain_update(pod).chain_update(resource.to_string()).finalize().into()
}

#[cfg(test)]
mod tests;
