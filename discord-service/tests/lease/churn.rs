//! NATS away, pods cut off, and everything at once.

use std::time::{Duration, Instant};

use harness::wait::wait_for;

use crate::arena::{Arena, LONG, SHARDS, TTL};

#[tokio::test(flavor = "multi_thread")]
async fn a_short_restart_of_nats_moves_nothing() {
    let mut arena = Arena::open().await;
    let (first, second) = tokio::join!(arena.pod(), arena.pod());
    arena.settled(&[&first, &second]).await;
    for _ in 0..5 {
        let (before, start) = (first.held(), Instant::now());
        arena.nats.restart().await;
        let short = start.elapsed() < TTL / 4;
        tokio::time::sleep(TTL).await;
        arena.settled(&[&first, &second]).await;
        if short {
            assert_eq!(first.held(), before);
            break;
        }
        // A busy machine took its time to start it: once more.
    }
    arena.watcher.assert_one_owner_at_a_time();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_is_lost_is_begun_anew_without_second_owners() {
    let arena = Arena::open().await;
    let (first, second) = tokio::join!(arena.pod(), arena.pod());
    arena.settled(&[&first, &second]).await;
    let js = async_nats::jetstream::new(arena.nats.client().await);
    let stream = js.get_stream("KV_leases").await.expect("the bucket's stream");
    stream.purge().filter("$KV.leases.owners").await.expect("the table is gone");
    let bucket = js.get_key_value("leases").await.expect("the bucket is an ordinary one");
    wait_for("all has an owner in a new table", LONG, || async {
        let table = bucket.get("owners").await.expect("NATS answers")?;
        let table: serde_json::Value = serde_json::from_slice(&table).expect("JSON");
        (table["owners"].as_object()?.len() == 64 + SHARDS as usize).then_some(())
    })
    .await;
    arena.settled(&[&first, &second]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_nats_is_away_everybody_stops_in_time_and_then_all_goes_on() {
    let mut arena = Arena::open().await;
    let (first, second) = tokio::join!(arena.pod(), arena.pod());
    arena.settled(&[&first, &second]).await;
    let start = Instant::now();
    arena.nats.kill();
    wait_for("both have stopped", LONG, || async {
        (first.held().is_empty() && second.held().is_empty()).then_some(())
    })
    .await;
    assert!(start.elapsed() < TTL, "{:?}", start.elapsed());
    arena.nats.restart().await;
    arena.settled(&[&first, &second]).await;
    arena.watcher.assert_one_owner_at_a_time();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nats_that_hangs_is_as_good_as_away() {
    let arena = Arena::open().await;
    let (first, second) = tokio::join!(arena.pod(), arena.pod());
    arena.settled(&[&first, &second]).await;
    arena.nats.pause();
    wait_for("both have stopped", LONG, || async {
        (first.held().is_empty() && second.held().is_empty()).then_some(())
    })
    .await;
    arena.nats.unpause();
    arena.settled(&[&first, &second]).await;
    arena.watcher.assert_one_owner_at_a_time();
}

#[tokio::test(flavor = "multi_thread")]
async fn in_any_disorder_each_thing_has_one_owner_at_a_time() {
    let mut arena = Arena::open().await;
    let mut pods = Vec::new();
    for _ in 0..5 {
        pods.push(arena.pod().await);
    }
    for round in 0..6 {
        match round % 3 {
            0 => drop(pods.remove(0)),
            1 => pods.remove(1).leave().await,
            _ => arena.nats.restart().await,
        }
        pods.push(arena.pod().await);
        tokio::time::sleep(Duration::from_millis(rand::random_range(0..700))).await;
    }
    arena.settled(&pods.iter().collect::<Vec<_>>()).await;
    arena.watcher.assert_one_owner_at_a_time();
}
