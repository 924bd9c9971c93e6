use super::*;

fn source(guild: u64, channel: u64, user: u64) -> EventSource {
    EventSource {
        guild: Some(GuildId::new(guild)),
        channel: Some(ChannelId::new(channel)),
        user: UserId::new(user),
    }
}

/// How many of these sources get a permit.
fn admitted(
    limit: &ConcurrencyLimit,
    sources: impl IntoIterator<Item = EventSource>,
) -> Vec<ConcurrencyPermit> {
    sources.into_iter().filter_map(|source| limit.try_acquire(source)).collect()
}

#[test]
fn each_part_has_its_own_end() {
    let limit = || ConcurrencyLimit::new(ConcurrencyQuota { in_all: 12, guild: 8, channel: 4, member: 2 });
    assert_eq!(admitted(&limit(), (0..20).map(|_| source(1, 1, 1))).len(), 2, "a member");
    assert_eq!(admitted(&limit(), (0..20).map(|n| source(1, 1, n))).len(), 4, "a channel");
    assert_eq!(admitted(&limit(), (0..20).map(|n| source(1, n, n))).len(), 8, "a guild");
    assert_eq!(admitted(&limit(), (0..20).map(|n| source(n, n, n))).len(), 12, "all");
}

#[test]
fn a_full_guild_leaves_room_for_another_and_an_end_makes_room() {
    let limit = ConcurrencyLimit::new(ConcurrencyQuota { in_all: 12, guild: 8, channel: 8, member: 8 });
    let flood = admitted(&limit, (0..20).map(|n| source(1, n, n)));
    assert_eq!(flood.len(), 8);
    assert!(limit.try_acquire(source(2, 21, 1)).is_some(), "the same user elsewhere");
    drop(flood);
    assert!(limit.try_acquire(source(1, 1, 1)).is_some());
    assert!(lock(&limit.taken).is_empty(), "nothing is kept of what has ended");
}
