//! What leases promise, one thing at a time.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use harness::wait::wait_for;

use crate::arena::{Arena, LONG, TTL};

#[tokio::test(flavor = "multi_thread")]
async fn a_lone_pod_owns_everything_at_once() {
    let arena = Arena::open().await;
    let start = Instant::now();
    let pod = arena.pod().await;
    arena.settled(&[&pod]).await;
    assert!(start.elapsed() < TTL, "as if somebody had to die first: {:?}", start.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn pods_that_come_and_go_share_fairly_and_nothing_moves_without_need() {
    let arena = Arena::open().await;
    let first = arena.pod().await;
    arena.settled(&[&first]).await;
    let (second, third) = tokio::join!(arena.pod(), arena.pod());
    arena.settled(&[&first, &second, &third]).await;
    assert_eq!(*first.pods.borrow(), 3, "each pod knows how many there are");
    let before: BTreeSet<_> = first.held();
    second.leave().await;
    arena.settled(&[&first, &third]).await;
    assert!(first.held().is_superset(&before), "what a pod has it keeps when another leaves");
    wait_for("the pods know how many there are", LONG, || async {
        (*first.pods.borrow() == 2).then_some(())
    })
    .await;
    arena.watcher.assert_one_owner_at_a_time();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pod_that_leaves_is_followed_within_a_moment() {
    let arena = Arena::open().await;
    let (first, second) = tokio::join!(arena.pod(), arena.pod());
    arena.settled(&[&first, &second]).await;
    let start = Instant::now();
    first.leave().await;
    arena.settled(&[&second]).await;
    println!("after leaving, all was taken over within {:?}", start.elapsed());
    assert!(start.elapsed() < TTL * 3 / 4, "as if it had died: {:?}", start.elapsed());
    arena.watcher.assert_one_owner_at_a_time();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pod_that_dies_is_followed_after_the_time_to_live_and_not_before() {
    let arena = Arena::open().await;
    let (first, second) = tokio::join!(arena.pod(), arena.pod());
    arena.settled(&[&first, &second]).await;
    let start = Instant::now();
    drop(first);
    arena.settled(&[&second]).await;
    println!("after a death, all was taken over within {:?}", start.elapsed());
    // Its last renewal may have been a fifth of the time ago, on a busy machine two.
    assert!(start.elapsed() > TTL / 2, "{:?}", start.elapsed());
    // NATS counts in whole seconds.
    assert!(start.elapsed() < TTL * 5 / 2, "{:?}", start.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_table_outlives_the_longest_life_of_a_pods_key_and_a_restart_of_nats() {
    let mut arena = Arena::open().await;
    let pod = arena.pod().await;
    arena.settled(&[&pod]).await;
    let js = async_nats::jetstream::new(arena.nats.client().await);
    let bucket = js.get_key_value("leases").await.expect("the bucket is an ordinary one");
    let written = bucket.entry("owners").await.expect("NATS answers").expect("a table");
    tokio::time::sleep(Duration::from_secs(17)).await;
    let after = bucket.entry("owners").await.expect("NATS answers").expect("the table stands");
    assert_eq!(after.revision, written.revision, "nobody had to write it again");
    // Nobody who could write it again. NATS removes what is too old when it starts.
    drop(pod);
    arena.nats.restart().await;
    let js = async_nats::jetstream::new(arena.nats.client().await);
    let bucket = js.get_key_value("leases").await.expect("the bucket is an ordinary one");
    assert!(bucket.entry("owners").await.expect("NATS answers").is_some());
}
