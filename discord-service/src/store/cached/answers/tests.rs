use super::*;

const LONG: Duration = Duration::from_secs(3_600);
const CONNECTED: Option<u64> = Some(1);

fn answers<V: Clone + Send + Sync + 'static>(capacity: u64) -> Answers<u64, V> {
    Answers::new(LONG, capacity, |_| 1)
}

fn away<V>() -> Result<V, StoreError> {
    Err(StoreError(anyhow!("away")))
}

#[tokio::test]
async fn a_read_that_a_change_overtakes_leaves_nothing_stale_behind() {
    let answers = answers(10);
    let slow = async {
        answers.forget(7);
        Ok("old")
    };
    assert_eq!(answers.get(CONNECTED, 7, slow).await.expect("the read succeeds"), "old");
    let next = answers.get(CONNECTED, 7, async { Ok("new") }).await;
    assert_eq!(next.expect("the read succeeds"), "new");
}

#[tokio::test]
async fn only_the_key_that_changed_is_forgotten() {
    let answers = answers(2_000);
    for key in 0..100 {
        answers.get(CONNECTED, key, async { Ok("old") }).await.expect("the read succeeds");
    }
    answers.forget(7);
    let mut read_again = Vec::new();
    for key in 0..100 {
        if answers.get(CONNECTED, key, async { Ok("new") }).await.expect("the read succeeds") == "new" {
            read_again.push(key);
        }
    }
    assert!(read_again.contains(&7) && read_again.len() < 10, "{read_again:?}");
    answers.forget_all();
    answers.get(CONNECTED, 8, async { away() }).await.expect_err("forgotten");
}

#[tokio::test]
async fn a_failure_is_not_remembered_and_an_answer_is_while_the_connection_lasts() {
    let answers = answers(10);
    answers.get(CONNECTED, 7, async { away() }).await.expect_err("the store is away");
    answers.get(CONNECTED, 7, async { Ok(1) }).await.expect("the store is back");
    assert_eq!(answers.get(CONNECTED, 7, async { away() }).await.expect("it is remembered"), 1);
    answers.get(None, 7, async { away() }).await.expect_err("changes cannot be heard");
    answers.get(Some(2), 7, async { away() }).await.expect_err("changes may have been missed");
}

#[tokio::test]
async fn the_ids_of_strangers_do_not_fill_the_memory() {
    let answers = answers(50);
    for id in 0..2_000 {
        answers.get(CONNECTED, id, async { Ok(()) }).await.expect("the read succeeds");
    }
    answers.remembered.run_pending_tasks().await;
    assert!(answers.remembered.entry_count() <= 50, "{}", answers.remembered.entry_count());
}

#[tokio::test]
async fn many_who_ask_at_once_cost_one_read() {
    let answers = answers(10);
    let reads = AtomicU64::new(0);
    let read = || async {
        tokio::task::yield_now().await;
        Ok(reads.fetch_add(1, Ordering::SeqCst))
    };
    let asked = (0..20).map(|_| answers.get(CONNECTED, 7, read()));
    for answer in futures::future::join_all(asked).await {
        assert_eq!(answer.expect("the read succeeds"), 0);
    }
}
