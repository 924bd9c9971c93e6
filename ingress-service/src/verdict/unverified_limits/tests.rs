use super::*;

const CHANNEL: ChannelId = ChannelId::new(1);

#[test]
fn a_stranger_gets_ten_alerts_in_any_minute() {
    let limits = UnverifiedLimits::default();
    let start = Instant::now();
    let admitted: Vec<_> =
        (0..130).filter(|second| limits.admits(CHANNEL, 1, start + Duration::from_secs(*second))).collect();
    assert_eq!(admitted, [(0..10), (60..70), (120..130)].into_iter().flatten().collect::<Vec<_>>());
    assert!(limits.admits(ChannelId::new(2), 1, start));
    // Alerts of one body count each.
    let another = ChannelId::new(3);
    let admitted = [6, 5, 4, 1].map(|alerts| limits.admits(another, alerts, start));
    assert_eq!(admitted, [true, false, true, false]);
}

#[test]
fn an_authorized_channel_is_not_limited_until_it_is_revoked() {
    let limits = UnverifiedLimits::default();
    let now = Instant::now();
    limits.learn(CHANNEL, true);
    assert!((0..1_000).all(|_| limits.admits(CHANNEL, 1, now)));
    limits.learn(CHANNEL, false);
    assert_eq!((0..1_000).filter(|_| limits.admits(CHANNEL, 1, now)).count(), ALERTS);
}

#[test]
fn no_more_than_64_mib_are_stored_until_a_verdict_answers() {
    let limits = UnverifiedLimits::default();
    let room = || (0..10_000).filter(|_| limits.has_room(8 << 10)).count();
    assert_eq!((room(), room()), (8_192, 0));
    limits.learn(CHANNEL, true);
    assert_eq!(room(), 0, "what another pod knows is no verdict");
    limits.answered();
    assert_eq!(room(), 8_192);
}

#[test]
fn memory_is_bounded_and_later_strangers_take_the_place_of_earlier_ones() {
    let limits = UnverifiedLimits::default();
    let start = Instant::now();
    let admitted = |at| (0..10_000).filter(|id| limits.admits(ChannelId::new(*id), 1, at)).count();
    assert_eq!(admitted(start), STRANGERS);
    assert_eq!(admitted(start + WINDOW), STRANGERS);
    for id in 0..3 * REMEMBERED as u64 {
        limits.learn(ChannelId::new(id), true);
    }
    let state = limits.0.lock().expect("not poisoned");
    assert!(state.strangers.len() <= STRANGERS);
    assert!(state.authorized.iter().map(HashSet::len).sum::<usize>() <= 2 * REMEMBERED);
}
