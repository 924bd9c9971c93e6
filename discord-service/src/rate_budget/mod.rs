//! What one guild and one member may cost the bot, whose requests all guilds share.

use std::{
    hash::Hash,
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use moka::future::Cache;
use shared::{GuildId, UserId};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// So many keys are kept before those that have their whole budget are forgotten.
const SWEEP_FROM: usize = 1_000;
/// The turns of a key that nobody takes are forgotten after this time.
const IDLE: Duration = Duration::from_secs(600);

/// So much at once, then so much a second.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rate {
    pub(crate) at_once: NonZeroU32,
    pub(crate) per_second: NonZeroU32,
}

impl Rate {
    pub(crate) const fn new(at_once: u32, per_second: u32) -> Self {
        Self {
            at_once: NonZeroU32::new(at_once).expect("not zero"),
            per_second: NonZeroU32::new(per_second).expect("not zero"),
        }
    }
}

/// A rate for each key.
pub(crate) struct Budget<K: Hash + Eq + Clone> {
    limiter: DefaultKeyedRateLimiter<K>,
    sweep_at: AtomicUsize,
}

impl<K: Hash + Eq + Clone> Budget<K> {
    pub(crate) fn new(rate: Rate) -> Self {
        let quota = Quota::per_second(rate.per_second).allow_burst(rate.at_once);
        Self { limiter: RateLimiter::keyed(quota), sweep_at: AtomicUsize::new(SWEEP_FROM) }
    }

    /// Takes one from the key's budget; `false` when nothing is left.
    pub(crate) fn spend(&self, key: &K) -> bool {
        if self.limiter.len() >= self.sweep_at.load(Ordering::Relaxed) {
            self.limiter.retain_recent();
            self.sweep_at.store(SWEEP_FROM.max(2 * self.limiter.len()), Ordering::Relaxed);
        }
        self.limiter.check_key(key).is_ok()
    }
}

/// A rate for each guild, and one for each of its members, so that no member
/// spends what is the others'.
pub(crate) struct Shares {
    guilds: Budget<GuildId>,
    members: Budget<(GuildId, UserId)>,
}

impl Shares {
    /// The rate of a guild, and that of a member.
    pub(crate) fn new([guild, member]: [Rate; 2]) -> Self {
        Self { guilds: Budget::new(guild), members: Budget::new(member) }
    }

    /// Takes one from the budgets of both; `false` when one of them has nothing left.
    pub(crate) fn spend(&self, guild: GuildId, member: UserId) -> bool {
        self.members.spend(&(guild, member)) && self.guilds.spend(&guild)
    }
}

/// So many at a time for each key; the others wait in line.
pub(crate) struct Turns<K> {
    at_a_time: usize,
    turns: Cache<K, Arc<Semaphore>>,
}

impl<K: Hash + Eq + Clone + Send + Sync + 'static> Turns<K> {
    pub(crate) fn new(at_a_time: usize) -> Self {
        Self { at_a_time, turns: Cache::builder().time_to_idle(IDLE).build() }
    }

    /// Waits for a turn, which lasts until what is returned is dropped.
    pub(crate) async fn take(&self, key: K) -> Option<OwnedSemaphorePermit> {
        let new = async { Arc::new(Semaphore::new(self.at_a_time)) };
        let turns = self.turns.get_with(key, new).await;
        turns.acquire_owned().await.ok()
    }
}

#[cfg(test)]
mod tests;
