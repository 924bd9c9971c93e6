use std::{sync::Arc, time::Instant};

use super::*;

#[tokio::test]
async fn few_try_while_none_succeeds_and_all_as_soon_as_one_does() {
    let retry_turns = Arc::new(RetryTurns::new());
    let mut waiting = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let retry_turns = retry_turns.clone();
        waiting.spawn(async move { retry_turns.turn().await });
    }
    let began = Instant::now();
    for _ in 0..3 {
        waiting.join_next().await.expect("some try").expect("no panic");
    }
    assert!(began.elapsed() > Duration::from_millis(300), "{:?}", began.elapsed());
    assert!(waiting.len() > 40);
    retry_turns.succeeded();
    tokio::time::timeout(Duration::from_secs(2), waiting.join_all()).await.expect("all try");
}
