//! The end of what is no issue: a metric alert, and an uptime alert of GlitchTip.

use async_nats::jetstream;
use e2e::Stack;
use sentry_sender::Webhook;
use shared::{Alert, ChannelId, clock, wire};

use crate::{GREEN, LONG, colours, stack, statuses, tell};

const CRITICAL: u64 = 0xE7_4C_3C;
const WARNING: u64 = 0xFF_C2_27;

/// The fixture, of this incident.
fn metric(action: &str, incident: &str) -> Webhook {
    let file = harness::workspace_root().join(format!("tests/fixtures/platform/metric_alert.{action}.json"));
    let fixture = Webhook::from_file(&file).expect("the fixture is there");
    let body = String::from_utf8_lossy(fixture.body()).replace("\"4811\"", &format!("\"{incident}\""));
    Webhook::platform("metric_alert", body)
}

/// Puts an alert about this check on the bus, so many seconds ago.
async fn uptime(stack: &Stack, channel: u64, kind: &str, seconds_ago: i64) {
    let channel = ChannelId::new(channel);
    let received_ms = clock::age_ms() - seconds_ago * 1_000;
    let alert = Alert { issue_id: Some("4811".to_owned()), ..Alert::new(kind, "shop", channel, received_ms) };
    let js = jetstream::new(stack.nats.client().await);
    let stored = js.publish(wire::alert_subject(channel), alert.encode().into()).await;
    stored.expect("NATS is up").await.expect("JetStream stores it");
    stack.until_drained(LONG).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recovery_turns_the_first_and_the_newest_message_green_and_is_no_message_of_its_own() {
    let stack = stack().await;
    let channel = stack.authorized_channel("alerts").await;
    for action in ["critical", "warning", "critical"] {
        tell(&stack, channel, &metric(action, "4811")).await;
    }
    assert_eq!(colours(&stack, channel), [CRITICAL, WARNING, CRITICAL]);
    // Another incident, and a check whose id is the same.
    tell(&stack, channel, &metric("critical", "4812")).await;
    uptime(&stack, channel, "uptime.down", 60).await;
    tell(&stack, channel, &metric("resolved", "4811")).await;
    assert_eq!(colours(&stack, channel), [GREEN, WARNING, GREEN, CRITICAL, CRITICAL]);
    assert_eq!(statuses(&stack, channel), ["Resolved", "", "Resolved", "", ""]);

    // One that comes late: the check was down again after that.
    uptime(&stack, channel, "uptime.up", 90).await;
    assert_eq!(statuses(&stack, channel)[4], "");
    uptime(&stack, channel, "uptime.up", 30).await;
    assert_eq!(statuses(&stack, channel)[4], "Up again");
    assert_eq!(colours(&stack, channel), [GREEN, WARNING, GREEN, CRITICAL, GREEN]);
    stack.assert_all_posted(LONG).await;
}
