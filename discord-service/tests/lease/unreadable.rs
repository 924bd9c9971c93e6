//! A table of owners that this version cannot read.

use async_nats::jetstream::{self, kv};
use harness::wait::wait_for;

use crate::arena::{Arena, LONG, TTL};

/// What nobody can read yet, or any more.
const OF_TOMORROW: &str = r#"{"owners":[["partition","0-63","somebody"]]}"#;

async fn bucket(arena: &Arena) -> kv::Store {
    let js = jetstream::new(arena.nats.client().await);
    js.get_key_value("leases").await.expect("the bucket is an ordinary one")
}

async fn table(bucket: &kv::Store) -> Option<String> {
    let value = bucket.get("owners").await.expect("NATS answers")?;
    Some(String::from_utf8_lossy(&value).into_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_alive_can_read_is_begun_anew_after_everybody_has_stopped() {
    let arena = Arena::open().await;
    let (first, second) = tokio::join!(arena.pod(), arena.pod());
    arena.settled(&[&first, &second]).await;
    let bucket = bucket(&arena).await;
    bucket.put("owners", OF_TOMORROW.into()).await.expect("NATS stores it");
    wait_for("it was replaced", LONG, || async {
        (table(&bucket).await.is_some_and(|table| table != OF_TOMORROW)).then_some(())
    })
    .await;
    arena.settled(&[&first, &second]).await;
    arena.watcher.assert_one_owner_at_a_time();
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_left_alone_while_somebody_lives_who_may_read_it() {
    let arena = Arena::open().await;
    let bucket = bucket(&arena).await;
    bucket.put("pod.newer", "{}".into()).await.expect("NATS stores it");
    bucket.put("owners", OF_TOMORROW.into()).await.expect("NATS stores it");
    let pod = arena.pod().await;
    tokio::time::sleep(TTL).await;
    assert_eq!(table(&bucket).await.as_deref(), Some(OF_TOMORROW));
    assert_eq!(pod.held().len(), 0, "what somebody else may own");
    bucket.stream.purge().filter("$KV.leases.pod.newer").await.expect("NATS removes it");
    arena.settled(&[&pod]).await;
}
