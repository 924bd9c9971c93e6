use harness::wait::{SOON, wait_for};

use super::*;

fn evicted(seats: &[ConnectionSeat]) -> Vec<bool> {
    seats.iter().map(|seat| seat.connection().is_evicted()).collect()
}

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

#[tokio::test]
async fn one_address_leaves_seats_for_others_and_is_forgotten_when_it_leaves() {
    let pool = SeatPool::new(8, 6);
    let mut seats = Vec::new();
    for _ in 0..6 {
        let seat = pool.seat(Some(ip("192.0.2.1")), false).await.expect("a seat");
        // At work, so that it is not idle.
        std::mem::forget(seat.connection().serve());
        seats.push(seat);
    }
    let further = pool.seat(Some(ip("192.0.2.1")), false);
    let further = tokio::select! {
        further = tokio::time::timeout(2 * IDLE, further) => further,
        () = pool.free_idle() => unreachable!("it goes on for ever"),
    };
    assert!(further.is_err(), "it waits");
    seats.push(pool.seat(Some(ip("192.0.2.2")), false).await.expect("a seat"));
    drop(seats);
    assert_eq!(lock(&pool.taken.addresses).len(), 0);
    assert_eq!(lock(&pool.taken.connections).len(), 0);
    assert_eq!(lock(&pool.taken.wanted).len(), 0);
}

#[tokio::test]
async fn as_many_idle_ones_give_way_as_wait_and_no_more() {
    let pool = SeatPool::new(4, 4);
    let mut seats = Vec::new();
    for _ in 0..4 {
        seats.push(pool.seat(None, false).await.expect("a seat"));
    }
    let first = pool.seat(None, false);
    let evicted = wait_for("one gives way", SOON, || async {
        let evicted = evicted(&seats);
        evicted.contains(&true).then_some(evicted)
    });
    let evicted = tokio::select! {
        evicted = evicted => evicted,
        _ = first => unreachable!("all seats are taken"),
        () = pool.free_idle() => unreachable!("it goes on for ever"),
    };
    assert_eq!(evicted, [true, false, false, false]);
}

#[tokio::test]
async fn an_address_that_wants_more_gives_way_to_itself() {
    let (greedy, other) = (Some(ip("192.0.2.1")), Some(ip("192.0.2.2")));
    let pool = SeatPool::new(8, 3);
    let mut seats = Vec::new();
    for address in [other, greedy, greedy, greedy, other] {
        seats.push(pool.seat(address, true).await.expect("a seat"));
    }
    wait_for("all are idle", SOON, || async {
        seats.iter().all(|seat| seat.connection().idle() >= IDLE).then_some(())
    })
    .await;
    assert!(!pool.taken.evict_idle(), "nobody waits");
    let wants = SeatRequest::by(&pool.taken, greedy);
    assert!(pool.taken.evict_idle());
    assert_eq!(evicted(&seats), [false, true, false, false, false]);
    let served = seats[0].connection().serve();
    let anybody = SeatRequest::by(&pool.taken, None);
    assert!(pool.taken.evict_idle());
    assert_eq!(evicted(&seats), [false, true, true, true, false]);
    drop((wants, anybody, served));
    assert!(seats[0].connection().begin_request());
    seats[0].connection().answer();
    pool.free_kept();
    assert_eq!(evicted(&seats), [true, true, true, true, false]);
}

#[test]
fn what_is_kept_open_may_be_silent_for_longer() {
    for (waited_ms, rests, idle) in
        [(499, false, false), (500, false, true), (1_999, true, false), (2_000, true, true)]
    {
        assert_eq!(is_idle(Duration::from_millis(waited_ms), rests), idle, "{waited_ms} ms");
    }
}

#[tokio::test]
async fn seats_are_plenty_while_more_than_half_of_them_are_free() {
    let pool = SeatPool::new(4, 4);
    let mut seats = Vec::new();
    for plenty in [true, true, false, false] {
        assert_eq!(pool.are_plenty(), plenty, "{} taken", seats.len());
        seats.push(pool.seat(None, false).await.expect("a seat"));
    }
    assert!(!pool.are_plenty(), "none is free");
}
