use super::*;

const CHANNEL: ChannelId = ChannelId::new(1);

#[test]
fn a_flood_for_a_refused_channel_is_asked_about_now_and_then() {
    let (refused, start) = (RefusedChannels::default(), Instant::now());
    let asked = (0..2_000).filter(|half| {
        let now = start + Duration::from_micros(half * 500);
        let asks = refused.may_ask(CHANNEL, now);
        if asks {
            refused.learn(CHANNEL, false, now);
        }
        asks
    });
    assert_eq!(asked.count(), 50);
    assert!(refused.may_ask(ChannelId::new(2), start), "others are not concerned");
}

#[test]
fn an_authorized_channel_is_asked_about_each_time() {
    let (refused, now) = (RefusedChannels::default(), Instant::now());
    refused.learn(CHANNEL, false, now);
    assert!(!refused.may_ask(CHANNEL, now));
    refused.learn(CHANNEL, true, now);
    assert!((0..1_000).all(|_| refused.may_ask(CHANNEL, now)));
}

#[test]
fn memory_is_bounded() {
    let (refused, start) = (RefusedChannels::default(), Instant::now());
    for id in 0..100_000 {
        refused.learn(ChannelId::new(id), false, start + Duration::from_micros(id));
    }
    assert!(refused.0.lock().expect("not poisoned").len() <= CHANNELS);
}
