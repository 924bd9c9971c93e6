//! Changes of issues: shown in the message that shows the issue.

mod edits;
mod load;
mod recoveries;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_nats::jetstream;
use e2e::{Shown, Stack, issue_change, regression};
use sandbox_discord::{Config, Limit};
use sentry_sender::Webhook;
use shared::{Alert, ChannelId, wire};

const LONG: Duration = Duration::from_secs(90);
const EDIT: &str = "PATCH /channels/{channel_id}/messages/{message_id}";
const RED: u64 = 0xE0_3E_2F;
const GREEN: u64 = 0x4D_C7_71;

/// Discord with faster windows than its own.
async fn stack() -> Stack {
    let sandbox = Config::default().clocks(|clocks| {
        clocks.identify_window = Duration::from_millis(200);
        clocks.channel = Limit::new(5, Duration::from_millis(250));
    });
    Stack::builder().sandbox(sandbox).start().await
}

/// Sends it and waits until Discord shows it.
async fn tell(stack: &Stack, channel: u64, webhook: &Webhook) {
    let status = stack.send(channel, webhook).await.status;
    assert!(matches!(status, 200 | 202), "{status}");
    stack.until_drained(LONG).await;
}

/// Puts on the bus, late, that the issue was resolved a minute ago.
async fn resolved_before(stack: &Stack, channel: u64) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis();
    let before = i64::try_from(now).expect("before the year 292 million") - 60_000;
    let channel = ChannelId::new(channel);
    let alert = Alert {
        issue_id: Some("7".to_owned()),
        url: Some("https://acme.sentry.io/issues/7/".to_owned()),
        ..Alert::new("issue.resolved", "backend-api", channel, before)
    };
    let js = jetstream::new(stack.nats.client().await);
    let stored = js.publish(wire::alert_subject(channel), alert.encode().into()).await;
    stored.expect("NATS is up").await.expect("JetStream stores it");
}

fn change(action: &str, actor: &str) -> Webhook {
    issue_change("7", "KeyError", action, actor)
}

/// The status without its times.
fn status(shown: &Shown) -> String {
    let lines = shown.status.as_deref().unwrap_or_default().lines();
    let words = lines.map(|line| line.split(" · ").next().unwrap_or_default().trim_matches('`'));
    words.collect::<Vec<_>>().join("; ")
}

fn colours(stack: &Stack, channel: u64) -> Vec<u64> {
    let messages = stack.sandbox.messages(channel);
    messages.iter().map(|message| message.embeds()[0]["color"].as_u64().expect("a colour")).collect()
}

fn statuses(stack: &Stack, channel: u64) -> Vec<String> {
    stack.shown(channel).iter().map(status).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_issue_is_created_assigned_resolved_back_and_resolved_again() {
    let mut stack = stack().await;
    let channel = stack.authorized_channel("alerts").await;
    tell(&stack, channel, &change("created", "")).await;
    tell(&stack, channel, &change("assigned", "Jane")).await;
    tell(&stack, channel, &change("resolved", "Jane")).await;
    assert_eq!(statuses(&stack, channel), ["Resolved by Jane; Assigned to Bob by Jane"]);
    assert_eq!(colours(&stack, channel), [GREEN]);

    // Another pod knows what this one has shown.
    let successor = stack.add_discord();
    successor.ready().await;
    std::mem::replace(&mut stack.discord, successor).kill();
    tell(&stack, channel, &regression("7", "KeyError")).await;
    let back = "Back (regression); Assigned to Bob by Jane";
    assert_eq!(statuses(&stack, channel), [back, "Assigned to Bob by Jane"]);
    assert_eq!(colours(&stack, channel), [RED, RED]);
    let messages = stack.sandbox.messages(channel);
    let link = format!("https://discord.com/channels/{}/{channel}/{}", stack.guild, messages[0].id);
    assert!(messages[1].embeds()[0].to_string().contains(&link), "{}", messages[1].json);

    tell(&stack, channel, &change("resolved", "Ann")).await;
    assert_eq!(colours(&stack, channel), [GREEN, GREEN]);
    tell(&stack, channel, &change("unresolved", "Ann")).await;
    assert_eq!(colours(&stack, channel), [RED, RED]);
    assert_eq!(status(&stack.shown(channel)[0]), "Reopened by Ann; Assigned to Bob by Jane");
    // Alerts that an edit showed count as posted, and so do those that the
    // messages show already.
    resolved_before(&stack, channel).await;
    stack.until_drained(LONG).await;
    assert_eq!(colours(&stack, channel), [RED, RED]);
    let said = stack.status(channel).await;
    assert!(said.contains("\nReceived = 7\nPosted = 7\nWaiting = None\nDead Letters = None\n"), "{said}");
    stack.assert_all_posted(LONG).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_keeps_its_look_when_the_setting_changes() {
    let mut stack = Stack::builder().discord("ALERT_STYLE", "classic").start().await;
    let channel = stack.authorized_channel("alerts").await;
    tell(&stack, channel, &change("created", "")).await;
    stack.discord.restart_with("ALERT_STYLE", "modern");
    stack.discord.ready().await;
    tell(&stack, channel, &change("resolved", "Jane")).await;
    tell(&stack, channel, &issue_change("8", "OSError", "created", "")).await;
    assert_eq!(statuses(&stack, channel), ["Resolved by Jane", ""]);
    let messages = stack.sandbox.messages(channel);
    let titles: Vec<_> = messages.iter().map(|message| message.embeds()[0]["title"].clone()).collect();
    assert_eq!(titles, ["***SENTRY ALERT***", "New: OSError"]);
    stack.assert_all_posted(LONG).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_issue_is_one_whatever_host_or_link_sentry_names() {
    let stack = stack().await;
    let folder = harness::workspace_root().join("tests/fixtures/reports");
    for (event, resolved) in [
        ("event_alert.own_host.json", "issue.resolved_without_link.json"),
        ("event_alert.apex_host.json", "issue.resolved_organization_host.json"),
    ] {
        let channel = stack.authorized_channel(event).await;
        for file in [event, resolved] {
            let webhook = Webhook::from_file(&folder.join(file)).expect("the fixture is there");
            stack.accepted(channel, &webhook).await;
            stack.until_drained(LONG).await;
        }
        assert_eq!(colours(&stack, channel), [GREEN], "{event}");
    }
    stack.assert_all_posted(LONG).await;
}
