//! A store that hangs.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use e2e::{Ledger, Seed, Storm, scaled, soak};
use harness::{firestore::FirestoreEmulator, wait::wait_for};
use tokio::time::sleep;

use crate::{SETTLED, builder};

/// What the store said is used for a minute, and read again within a moment.
const BELIEVED: Duration = Duration::from_secs(62);
/// The contract's three seconds, and one for a busy machine.
const NOTICED: Duration = Duration::from_secs(4);

fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis() as u64
}

#[tokio::test(flavor = "multi_thread")]
async fn while_firestore_hangs_alerts_wait_and_nothing_is_posted_unchecked() {
    let Some(firestore) = FirestoreEmulator::start().await else { return };
    let (seed, ledger) = (Seed::new(), Ledger::default());
    let mut stack = builder()
        .discord("FIRESTORE_EMULATOR_HOST", firestore.host())
        .discord("GOOGLE_CLOUD_PROJECT", firestore.project().name())
        .start()
        .await;
    let channels = stack.authorized_channels(scaled(3, 20), &ledger).await;
    stack.until_drained(SETTLED).await;
    firestore.pause();
    let paused_ms = now_ms();
    // Though what it said is still believed.
    wait_for("/readyz says that the store is away", NOTICED, || async {
        (stack.discord.readyz().await == Some(503)).then_some(())
    })
    .await;
    if !soak() {
        // A minute's memory is gone with the process.
        stack.discord.kill();
        stack.discord.restart();
    }
    let trusted_until_ms = paused_ms + scaled(Duration::ZERO, BELIEVED).as_millis() as u64;
    let end = Instant::now() + Duration::from_secs(scaled(6, 75));
    let mut round = 0;
    while Instant::now() < end {
        let part = Storm {
            channels: &channels,
            first: round * 10,
            each: scaled(5, 10),
            noisy: 0.3,
            pause: Duration::ZERO,
        };
        part.rage(&stack, &ledger, &Seed(seed.0 + round as u64)).await;
        round += 1;
        sleep(Duration::from_secs(scaled(2, 5))).await;
    }
    let unchecked = channels
        .iter()
        .flat_map(|channel| stack.shown(*channel))
        .filter(|shown| shown.posted_ms() > trusted_until_ms)
        .count();
    firestore.unpause();
    stack.discord.ready().await;
    assert_eq!(unchecked, 0, "posted while nobody could say whether that was still allowed");
    ledger.settle(&stack, SETTLED).await;
    assert!(stack.dead_letters().await.is_empty());
}
