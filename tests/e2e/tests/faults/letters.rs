//! Dead letters in the operator's hands: `discord-service dead-letters …`.

use std::{
    process::Command,
    time::{Duration, SystemTime},
};

use async_nats::jetstream;
use e2e::{Ledger, Stack};
use harness::{
    service::binary,
    wait::{SOON, wait_for},
};
use sandbox_discord::{Effect, Fault};
use serde_json::Value;
use shared::{Alert, wire};

use crate::{SETTLED, builder};

fn dead_letters(stack: &Stack, arguments: &[&str]) -> String {
    let output = Command::new(binary("discord-service"))
        .arg("dead-letters")
        .args(arguments)
        .env_clear()
        .env("NATS_URL", stack.nats.url())
        .output()
        .expect("the binary runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forbidden_channels_alerts_are_listed_shown_replayed_and_purged() {
    let ledger = Ledger::default();
    let stack = builder().start().await;
    let channels = stack.authorized_channels(2, &ledger).await;
    let forbidden = Fault::new(Effect::MissingAccess).on_channel(channels[0]);
    stack.sandbox.add_fault(forbidden.clone());
    for number in 0..3 {
        ledger.send(&stack, channels[0], &format!("alert {number}")).await;
    }
    stack.until_dead(3).await;
    let asked = stack.sandbox.stats().answers("POST /channels/{channel_id}/messages", Some(403));
    ledger.send(&stack, channels[0], "not even tried").await;
    stack.until_dead(4).await;
    let again = stack.sandbox.stats().answers("POST /channels/{channel_id}/messages", Some(403));
    assert_eq!(again, asked, "Discord has said no");

    let list = dead_letters(&stack, &["list", "--channel", &channels[0].to_string()]);
    let lines: Vec<Vec<&str>> = list.lines().map(|line| line.split('\t').collect()).collect();
    assert_eq!(lines.len(), 4, "{list}");
    assert_eq!(lines[0][2..6], [&channels[0].to_string(), "unreachable", "backend-api", "alert 0"]);
    assert!(lines[0][6].contains("View Channel"), "{list}");
    assert_eq!(dead_letters(&stack, &["list", "--channel", &channels[1].to_string()]), "");
    let shown: Value = serde_json::from_str(&dead_letters(&stack, &["show", lines[0][0]])).expect("JSON");
    assert_eq!(shown["alert"]["title"], "alert 0");

    // After a failed replay each is a dead letter again, once, and the command
    // ends.
    assert_eq!(dead_letters(&stack, &["replay"]), "Replaying 4 alerts\n");
    stack.until_dead(4).await;
    stack.sandbox.clear_faults();
    assert_eq!(dead_letters(&stack, &["replay"]), "Replaying 4 alerts\n");
    ledger.settle(&stack, SETTLED).await;
    assert!(stack.dead_letters().await.is_empty());

    stack.sandbox.add_fault(forbidden);
    ledger.send(&stack, channels[0], "forgotten").await;
    stack.until_dead(1).await;
    assert_eq!(dead_letters(&stack, &["purge"]), "Threw 1 dead letter away\n");
    assert!(stack.dead_letters().await.is_empty());
}

/// How long ago the ingress received the alert that was stored last.
async fn age_of_the_newest(stack: &Stack) -> Duration {
    let js = jetstream::new(stack.nats.client().await);
    let stream = js.get_stream(wire::ALERTS).await.expect("the stream exists");
    let newest = stream.cached_info().state.last_sequence;
    let message = stream.get_raw_message(newest).await.expect("nothing has taken it out");
    let alert: Alert = serde_json::from_slice(&message.payload).expect("it is an alert");
    let received = SystemTime::UNIX_EPOCH + Duration::from_millis(alert.received_ms as u64);
    received.elapsed().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_that_waited_too_long_is_a_dead_letter() {
    let ledger = Ledger::default();
    let max_age = Duration::from_secs(2);
    let mut stack = builder().discord("ALERT_MAX_AGE_SECS", max_age.as_secs()).start().await;
    let channel = stack.authorized_channels(1, &ledger).await[0];
    stack.until_drained(SETTLED).await;
    stack.discord.kill();
    for number in 0..3 {
        ledger.send(&stack, channel, &format!("alert {number}")).await;
    }
    wait_for("they are too old", SOON, || async {
        (age_of_the_newest(&stack).await > max_age).then_some(())
    })
    .await;
    stack.discord.restart();
    ledger.settle(&stack, SETTLED).await;
    let dead = stack.dead_letters().await;
    assert_eq!(dead.len(), 3);
    assert!(dead.iter().all(|letter| letter.reason == "expired"), "{dead:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_alert_that_discord_refuses_takes_no_other_with_it() {
    let ledger = Ledger::default();
    let mut stack = builder().start().await;
    let channel = stack.authorized_channels(1, &ledger).await[0];
    stack.until_drained(SETTLED).await;
    stack.discord.kill();
    for title in ["alert 0", "alert 1", "refused", "alert 3", "alert 4"] {
        ledger.send(&stack, channel, title).await;
    }
    // Discord refuses the link to this issue, and shows the alert without it.
    stack.sandbox.add_fault(Fault::new(Effect::RefuseLinks("refused".to_owned())).on_channel(channel));
    stack.discord.restart();
    ledger.settle(&stack, SETTLED).await;
    assert!(stack.dead_letters().await.is_empty());
    let refusals = || stack.sandbox.stats().answers("POST /channels/{channel_id}/messages", Some(400));
    assert_eq!(refusals(), 2, "the shared post and the one alone");

    // What is refused without links as well is dead.
    stack.sandbox.clear_faults();
    stack.sandbox.add_fault(Fault::new(Effect::Refuse(400, 50_035)).on_channel(channel).times(2));
    ledger.send(&stack, channel, "hopeless").await;
    ledger.settle(&stack, SETTLED).await;
    ledger.send(&stack, channel, "innocent").await;
    ledger.settle(&stack, SETTLED).await;
    let dead = stack.dead_letters().await;
    assert_eq!(dead.len(), 1, "{dead:?}");
    assert_eq!((dead[0].reason.as_str(), dead[0].title.as_deref()), ("refused", Some("hopeless")));
}
