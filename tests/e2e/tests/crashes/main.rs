//! Processes that die at the worst moment, and services behind them that are
//! away.

use std::time::Duration;

use e2e::Stack;
use harness::wait::wait_for;
use sentry_sender::{Webhook, body::Exception};

const LONG: Duration = Duration::from_secs(60);

fn webhook(number: u32) -> Webhook {
    Webhook::legacy(Exception::new(format!("alert {number}")).issue(number.to_string()).json())
}

#[tokio::test(flavor = "multi_thread")]
async fn alerts_that_wait_while_discord_service_is_dead_arrive_once() {
    let mut stack = Stack::start().await;
    let channel = stack.authorized_channel("alerts").await;
    stack.accepted(channel, &webhook(0)).await;
    stack.discord.kill();
    for number in 1..=30 {
        assert_eq!(stack.send(channel, &webhook(number)).await.status, 202);
    }
    stack.discord.restart();
    stack.until_drained(LONG).await;
    let titles: Vec<String> = stack.shown(channel).into_iter().map(|shown| shown.title).collect();
    let expected: Vec<String> = (0..=30).map(|number| format!("alert {number}")).collect();
    assert_eq!(titles, expected);
    assert_eq!(stack.stored("DEAD_LETTERS").await, 0);
    stack.assert_clean();
}

#[tokio::test(flavor = "multi_thread")]
async fn without_nats_webhooks_are_held_then_answered_503_and_all_recovers_by_itself() {
    let mut stack = Stack::start().await;
    let channel = stack.authorized_channel("alerts").await;
    stack.nats.kill();
    wait_for("both services say that they are not ready", LONG, || async {
        (stack.ingress.readyz().await == Some(503) && stack.discord.readyz().await == Some(503)).then_some(())
    })
    .await;
    // Each is held for as long as its sender is sure to wait.
    let modern = Webhook::platform("issue", include_str!("../../../fixtures/platform/issue.created.json"));
    for (webhook, held, timeout) in [(webhook(1), 2.5, 5.0), (modern, 0.7, 1.0)] {
        let refused = stack.send(channel, &webhook).await;
        assert_eq!((refused.status, refused.retry_after.is_some()), (503, true));
        assert_eq!(refused.body, r#"{"error":{"message":"Alert queue unavailable"}}"#);
        let latency = refused.latency.as_secs_f64();
        assert!((held..timeout).contains(&latency), "{latency} s");
    }

    stack.nats.restart().await;
    stack.ingress.ready().await;
    stack.discord.ready().await;
    stack.accepted(channel, &webhook(2)).await;
    let shown = stack.until_shown(channel, 1, LONG).await;
    assert_eq!(shown[0].title, "alert 2");
    stack.until_drained(LONG).await;
    stack.assert_clean();
}
