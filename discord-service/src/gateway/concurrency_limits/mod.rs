//! Limits how many events are handled at a time: in all, and for each guild, channel
//! and member. A flood in one place leaves room for everybody else.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use shared::{ChannelId, GuildId, UserId};

/// How many events may be handled at a time.
#[derive(Debug, Clone, Copy)]
pub(super) struct ConcurrencyQuota {
    /// In all, which bounds the memory.
    pub(super) in_all: u32,
    /// For one guild.
    pub(super) guild: u32,
    /// In one channel.
    pub(super) channel: u32,
    /// For one member of a guild.
    pub(super) member: u32,
}

/// Where an event comes from. A private message has no guild.
#[derive(Debug, Clone, Copy)]
pub(super) struct EventSource {
    pub(super) guild: Option<GuildId>,
    pub(super) channel: Option<ChannelId>,
    pub(super) user: UserId,
}

/// Hands out permits.
#[derive(Debug)]
pub(super) struct ConcurrencyLimit {
    quota: ConcurrencyQuota,
    taken: Arc<Mutex<Taken>>,
}

/// The right to handle one event, until it is dropped.
#[derive(Debug)]
pub(super) struct ConcurrencyPermit {
    taken: Arc<Mutex<Taken>>,
    parts: [Part; 4],
}

/// What a permit counts towards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Part {
    All,
    Guild(Option<GuildId>),
    Channel(Option<ChannelId>),
    Member(Option<GuildId>, UserId),
}

/// The permits of each part; parts without any are left out.
type Taken = HashMap<Part, u32>;

impl ConcurrencyLimit {
    pub(super) fn new(quota: ConcurrencyQuota) -> Self {
        Self { quota, taken: Arc::default() }
    }

    /// A permit, unless one of the parts is full.
    pub(super) fn try_acquire(&self, source: EventSource) -> Option<ConcurrencyPermit> {
        let EventSource { guild, channel, user } = source;
        let parts = [Part::All, Part::Guild(guild), Part::Channel(channel), Part::Member(guild, user)];
        let quotas = [self.quota.in_all, self.quota.guild, self.quota.channel, self.quota.member];
        let mut taken = lock(&self.taken);
        let is_free = |(part, quota): (&Part, u32)| taken.get(part).is_none_or(|permits| *permits < quota);
        if !parts.iter().zip(quotas).all(is_free) {
            return None;
        }
        for part in parts {
            *taken.entry(part).or_default() += 1;
        }
        Some(ConcurrencyPermit { taken: Arc::clone(&self.taken), parts })
    }
}

impl Drop for ConcurrencyPermit {
    fn drop(&mut self) {
        let mut taken = lock(&self.taken);
        for part in self.parts {
            match taken.get_mut(&part) {
                Some(permits) if *permits > 1 => *permits -= 1,
                _ => {
                    taken.remove(&part);
                }
            }
        }
    }
}

fn lock(taken: &Mutex<Taken>) -> MutexGuard<'_, Taken> {
    taken.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
