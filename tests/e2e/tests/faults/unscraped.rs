//! Measurements take no memory if nobody reads the metrics.

use std::ops::Range;

use e2e::{Stack, report, scaled};
use futures::{StreamExt as _, stream};
use shared::{
    ChannelId,
    verdict::{Verdict, VerdictRequest},
    wire,
};

use crate::builder;

/// How many questions are under way at a time. More would be answered at once.
const AT_ONCE: usize = 128;
/// The memory that a million questions may leave behind. If each measured time
/// were kept, it would be eight bytes for each.
const LITTLE: u64 = 6 << 20;

/// Asks about these channels. All are unknown, so each costs a call of the
/// store.
async fn ask(stack: &Stack, channels: Range<u64>) {
    let nats = stack.nats.client().await;
    let answers = stream::iter(channels).map(|channel| {
        let question =
            VerdictRequest { channel: ChannelId::new(channel), mention: None, project: "shop".to_owned() };
        let question = serde_json::to_vec(&question).expect("a question");
        let nats = nats.clone();
        async move { nats.request(wire::VERDICT, question.into()).await.expect("an answer").payload }
    });
    let refused = serde_json::to_vec(&Verdict::ChannelNotAuthorized).expect("a verdict");
    answers
        .buffer_unordered(AT_ONCE)
        .for_each(|answer| {
            assert_eq!(String::from_utf8_lossy(&answer), String::from_utf8_lossy(&refused));
            std::future::ready(())
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_leave_nothing_behind_where_nobody_reads_the_metrics() {
    let stack = builder().start().await;
    // After these, the memory for strangers' channels is full.
    let (first, all) = scaled((4_000, 8_000), (100_000, 1_100_000));
    ask(&stack, 1..first).await;
    let before = stack.discord.memory().expect("the system tells");
    ask(&stack, first..all).await;
    let grown = stack.discord.memory().expect("the system tells").saturating_sub(before);
    report(&format!(
        "memory that {} questions leave behind in discord-service: {} KiB",
        all - first,
        grown >> 10
    ));
    assert!(grown < LITTLE, "{grown} bytes");
    // The metrics are read only now, because reading them frees memory.
    let calls = stack.discord.metric("sentry_bot_store_call_seconds_count").await;
    assert!(calls >= (all - 1) as f64, "{calls}");
}
