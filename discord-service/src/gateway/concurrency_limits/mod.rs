//! Room for what is being handled at a time, in all and for each guild, channel
//! and member: a flood in one place leaves room for everybody else.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use shared::{ChannelId, GuildId, UserId};

/// How much is handled at a time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    /// In all, which bounds the memory.
    pub(super) in_all: u32,
    /// For one guild.
    pub(super) guild: u32,
    /// In one channel.
    pub(super) channel: u32,
    /// For one member of a guild.
    pub(super) member: u32,
}

/// Where something is done, and by whom. No guild: in a private message.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source {
    pub(super) guild: Option<GuildId>,
    pub(super) channel: Option<ChannelId>,
    pub(super) user: UserId,
}

/// The room.
#[derive(Debug)]
pub(super) struct Room {
    size: Size,
    taken: Arc<Mutex<Taken>>,
}

/// One thing that is being handled. Dropping it makes room for another.
#[derive(Debug)]
pub(super) struct Seat {
    taken: Arc<Mutex<Taken>>,
    parts: [Part; 4],
}

/// What the room is divided by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Part {
    All,
    Guild(Option<GuildId>),
    Channel(Option<ChannelId>),
    Member(Option<GuildId>, UserId),
}

/// The seats that are taken in each part; parts without any are left out.
type Taken = HashMap<Part, u32>;

impl Room {
    pub(super) fn new(size: Size) -> Self {
        Self { size, taken: Arc::default() }
    }

    /// A seat, unless one of the parts is full.
    pub(super) fn seat(&self, source: Source) -> Option<Seat> {
        let Source { guild, channel, user } = source;
        let parts = [Part::All, Part::Guild(guild), Part::Channel(channel), Part::Member(guild, user)];
        let sizes = [self.size.in_all, self.size.guild, self.size.channel, self.size.member];
        let mut taken = lock(&self.taken);
        let is_free = |(part, size): (&Part, u32)| taken.get(part).is_none_or(|seats| *seats < size);
        if !parts.iter().zip(sizes).all(is_free) {
            return None;
        }
        for part in parts {
            *taken.entry(part).or_default() += 1;
        }
        Some(Seat { taken: Arc::clone(&self.taken), parts })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = lock(&self.taken);
        for part in self.parts {
            match taken.get_mut(&part) {
                Some(seats) if *seats > 1 => *seats -= 1,
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
