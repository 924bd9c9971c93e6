use super::*;

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
    let evicted = async {
        while seats.iter().all(|seat| !seat.connection().is_evicted()) {
            tokio::time::sleep(LOOK_EVERY).await;
        }
        seats.iter().map(|seat| seat.connection().is_evicted()).collect::<Vec<_>>()
    };
    let evicted = tokio::select! {
        evicted = evicted => evicted,
        _ = first => unreachable!("all seats are taken"),
        () = pool.free_idle() => unreachable!("it goes on for ever"),
    };
    assert_eq!(evicted, [true, false, false, false]);
}
