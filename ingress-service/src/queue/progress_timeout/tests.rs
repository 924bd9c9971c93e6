use std::{future::pending, time::Duration};

use tokio::time::sleep;

use super::*;

const DEADLINE: Duration = Duration::from_millis(350);

/// Whether something that takes `work` was done, and how long we waited, while
/// NATS confirms something every 10 ms for `alive`.
async fn waits(work: Duration, alive: Duration) -> (bool, Duration) {
    let (progress, began) = (ProgressTimeout::default(), Instant::now());
    let beats = async {
        while began.elapsed() < alive {
            progress.beat();
            sleep(Duration::from_millis(10)).await;
        }
        pending::<()>().await;
    };
    let done = tokio::select! {
        done = progress.within(began + DEADLINE, sleep(work)) => done,
        () = beats => None,
    };
    (done.is_some(), began.elapsed())
}

#[tokio::test(start_paused = true)]
async fn a_slow_nats_is_waited_for_and_a_hanging_one_is_not() {
    let ms = Duration::from_millis;
    let (never, ever) = (ms(60_000), ms(60_000));
    assert_eq!(waits(ms(300), ms(0)).await, (true, ms(300)));
    assert_eq!(waits(never, ms(0)).await, (false, DEADLINE));
    assert_eq!(waits(never, ms(200)).await, (false, DEADLINE));
    assert_eq!(waits(ms(600), ever).await, (true, ms(600)));
    assert_eq!(waits(never, ever).await, (false, DEADLINE + PATIENCE));
    // NATS hangs while something still waits.
    let (done, took) = waits(never, DEADLINE).await;
    assert!(!done && took <= DEADLINE + HANGS_AFTER, "{took:?}");
}
