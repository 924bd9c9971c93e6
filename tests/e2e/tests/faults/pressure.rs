//! A queue that is full says so at once.

use std::time::Duration;

use e2e::{Ledger, Stack};
use sandbox_discord::{Effect, Fault};
use sentry_sender::{Reply, Webhook, body::Exception};

use crate::{SETTLED, builder};

const QUICKLY: Duration = Duration::from_millis(500);

fn webhook(title: &str) -> Webhook {
    Webhook::legacy(Exception::new(title).issue(title).json())
}

/// Checks that alerts are now refused like this, at once. A busy machine may
/// delay some.
async fn refuses_at_once(stack: &Stack, channel: u64, refused: &Reply) {
    let mut latencies = vec![refused.latency];
    for number in 0..2 {
        let reply = stack.send(channel, &webhook(&format!("refused {number}"))).await;
        assert_eq!((reply.status, &reply.body), (refused.status, &refused.body));
        assert!(reply.retry_after.as_ref().is_some_and(|text| text.parse::<u32>().is_ok()), "{reply:?}");
        latencies.push(reply.latency);
    }
    assert!(latencies.iter().min() < Some(&QUICKLY), "{latencies:?}");
}

/// Sends to these in turns until one answer has this status.
async fn fill(stack: &Stack, ledger: &Ledger, channels: &[u64], status: u16) -> Reply {
    for number in 0..2_000 {
        let (title, channel) = (format!("alert {number}"), channels[number % channels.len()]);
        let reply = stack.send(channel, &webhook(&title)).await;
        ledger.note(channel, &title, reply.is_success());
        if reply.status == status {
            return reply;
        }
        assert!(matches!(reply.status, 200 | 202), "{reply:?}");
    }
    unreachable!("it never got full");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_with_too_much_waiting_is_429_and_no_other_is() {
    let ledger = Ledger::default();
    let stack = builder().ingress("CHANNEL_BACKLOG_MAX", 20).discord("CHANNEL_BACKLOG_MAX", 20).start().await;
    let channels = stack.authorized_channels(2, &ledger).await;
    stack.until_drained(SETTLED).await;
    stack.sandbox.add_fault(Fault::new(Effect::Status(503)).on_channel(channels[0]));
    let refused = fill(&stack, &ledger, &channels[..1], 429).await;
    refuses_at_once(&stack, channels[0], &refused).await;
    let body = format!(
        r#"{{"error":{{"message":"Too many alerts are waiting for this channel","channel":{}}}}}"#,
        channels[0]
    );
    assert_eq!(refused.body, body);
    assert!(matches!(ledger.send(&stack, channels[1], "elsewhere").await, Some(200 | 202)));
    stack.sandbox.clear_faults();
    ledger.settle(&stack, SETTLED).await;
    assert!(matches!(ledger.send(&stack, channels[0], "there is room again").await, Some(200 | 202)));
    ledger.settle(&stack, SETTLED).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_stream_is_503_until_there_is_room() {
    let ledger = Ledger::default();
    let small = [("ALERTS_MAX_BYTES", 1 << 20), ("CHANNEL_BACKLOG_MAX", 16)];
    let small = small
        .iter()
        .fold(builder(), |builder, (name, value)| builder.ingress(name, *value).discord(name, *value));
    let stack = small.start().await;
    let channels = stack.authorized_channels(100, &ledger).await;
    let channel = channels[0];
    stack.until_drained(SETTLED).await;
    stack.sandbox.add_fault(Fault::new(Effect::Status(503)));
    let refused = fill(&stack, &ledger, &channels, 503).await;
    refuses_at_once(&stack, channel, &refused).await;
    assert_eq!(refused.body, r#"{"error":{"message":"Alert queue unavailable"}}"#);
    stack.sandbox.clear_faults();
    ledger.settle(&stack, SETTLED).await;
    assert!(matches!(ledger.send(&stack, channel, "there is room again").await, Some(200 | 202)));
    ledger.settle(&stack, SETTLED).await;
}
