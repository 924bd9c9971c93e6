use futures::FutureExt as _;

use super::*;

#[tokio::test]
async fn who_finds_no_room_waits_in_order_and_one_at_a_time_gets_on_all_the_same() {
    let room = BodyMemory::of(100);
    let mut shares: Vec<_> = (0..4).map(|_| room.share()).collect();
    assert!(shares.iter_mut().take(2).all(|share| share.try_grow(50)));
    assert!(!shares[0].try_grow(1), "it is full");
    assert!(shares[0].grow(60).now_or_never().is_some(), "the first one gets on");
    assert!(shares[0].grow(60).now_or_never().is_some(), "to its end");
    assert!(shares[1].grow(1).now_or_never().is_none(), "the others wait");
    let [first, second, third, _] = shares.try_into().expect("four");
    let (mut second, mut third) = (second, third);
    {
        let mut earlier = Box::pin(second.grow(40));
        let mut later = Box::pin(third.grow(40));
        assert!(earlier.as_mut().now_or_never().is_none() && later.as_mut().now_or_never().is_none());
        drop(first);
        assert!(earlier.now_or_never().is_some(), "whoever came first");
        assert!(later.now_or_never().is_some(), "it is its turn");
    }
    drop((second, third));
    assert_eq!(room.free.available_permits(), 100);
    assert_eq!(BodyMemory::default().free.available_permits(), 67_108_864);
}
