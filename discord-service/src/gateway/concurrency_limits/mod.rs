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
mod tests {
    use super::*;

    fn source(guild: u64, channel: u64, user: u64) -> Source {
        Source {
            guild: Some(GuildId::new(guild)),
            channel: Some(ChannelId::new(channel)),
            user: UserId::new(user),
        }
    }

    /// How many of these sources get a seat.
    fn seated(room: &Room, sources: impl IntoIterator<Item = Source>) -> Vec<Seat> {
        sources.into_iter().filter_map(|source| room.seat(source)).collect()
    }

    #[test]
    fn each_part_has_its_own_end() {
        let room = || Room::new(Size { in_all: 12, guild: 8, channel: 4, member: 2 });
        assert_eq!(seated(&room(), (0..20).map(|_| source(1, 1, 1))).len(), 2, "a member");
        assert_eq!(seated(&room(), (0..20).map(|n| source(1, 1, n))).len(), 4, "a channel");
        assert_eq!(seated(&room(), (0..20).map(|n| source(1, n, n))).len(), 8, "a guild");
        assert_eq!(seated(&room(), (0..20).map(|n| source(n, n, n))).len(), 12, "all");
    }

    #[test]
    fn a_full_guild_leaves_room_for_another_and_an_end_makes_room() {
        let room = Room::new(Size { in_all: 12, guild: 8, channel: 8, member: 8 });
        let flood = seated(&room, (0..20).map(|n| source(1, n, n)));
        assert_eq!(flood.len(), 8);
        assert!(room.seat(source(2, 21, 1)).is_some(), "the same user elsewhere");
        drop(flood);
        assert!(room.seat(source(1, 1, 1)).is_some());
        assert!(lock(&room.taken).is_empty(), "nothing is kept of what has ended");
    }
}
