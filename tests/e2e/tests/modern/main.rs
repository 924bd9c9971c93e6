//! Webhooks of internal integrations, from Sentry to the channel.

use std::{collections::BTreeSet, time::Duration};

use e2e::{Stack, is_modern, issue_change};
use harness::wait::SOON;
use sentry_sender::{Webhook, webhook::json_files};

fn fixture(name: &str) -> Webhook {
    let path = harness::workspace_root().join("tests/fixtures/platform").join(name);
    Webhook::from_file(&path).expect("the fixture is there")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_payload_is_shown() {
    let stack = Stack::start().await;
    let channel = stack.channel("alerts");
    stack.command(stack.owner, &format!("!sentry channel authorize <#{channel}>")).await;
    let folder = harness::workspace_root().join("tests/fixtures/platform");
    let files = json_files(&folder).expect("the fixtures are there");
    let mut latencies = Vec::new();
    for file in &files {
        let webhook = Webhook::from_file(file).expect("readable").signed("a secret that nobody knows");
        let reply = stack.accepted(channel, &webhook).await;
        assert_eq!(reply.body, r#"{"success":"200"}"#, "{}", file.display());
        latencies.push(reply.latency);
    }
    latencies.sort();
    // A busy machine delays some.
    assert!(latencies[latencies.len() / 2] < Duration::from_millis(500), "{latencies:?}");
    // The end of a metric alert is shown by an edit.
    let shown = stack.until_shown(channel, files.len() as u64 - 1, SOON).await;
    let titles: BTreeSet<_> = shown.iter().map(|shown| shown.title.as_str()).collect();
    for title in [
        "Cron failure: nightly-backup",
        "Performance: N+1 Query in /books/",
        "Metric warning: Too many errors",
        "Size analysis: MyApp 1.0 (2)",
    ] {
        assert!(titles.contains(title), "{titles:?}");
    }
    stack.assert_all_posted(SOON).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_activity_alert_says_what_seer_found() {
    let stack = Stack::start().await;
    let channel = stack.authorized_channel("alerts").await;
    stack.accepted(channel, &fixture("../reports/activity_alert.root_cause_summary.json")).await;
    stack.until_shown(channel, 1, SOON).await;
    let embed = stack.sandbox.messages(channel)[0].embeds()[0].to_string();
    for said in ["The price table lost its sku column in migration 41", "Watching Seer", "issues/8611/"] {
        assert!(embed.contains(said), "{embed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mention_needs_the_project_where_sentry_names_one() {
    let stack = Stack::start().await;
    let channel = stack.channel("alerts");
    stack.command(stack.owner, &format!("!sentry channel authorize <#{channel}>")).await;
    let url = stack.url(channel, &format!("&mention={}", stack.owner));
    // It names no project. A user without any project is not mentioned.
    let nameless = fixture("seer.root_cause_completed.json");
    assert_eq!(stack.send_to(&url, &nameless).await.status, 401);

    stack.command_in(channel, stack.owner, "!sentry project register backend-api").await;
    stack.accepted_at(&url, &fixture("issue.resolved.json")).await;
    stack.accepted_at(&url, &nameless).await;
    let others = fixture("preprod_artifact.size_analysis_completed.json");
    assert_eq!(stack.send_to(&url, &others).await.status, 401);

    for shown in stack.until_shown(channel, 2, SOON).await {
        let messages = stack.sandbox.messages(channel);
        let message = messages.iter().find(|message| message.id == shown.message).expect("it was just shown");
        assert!(message.pings.users.contains(&stack.owner), "{}: {:?}", shown.title, message.pings);
    }
    stack.assert_all_posted(SOON).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_remark_names_its_issue_as_the_channel_saw_it() {
    let stack = Stack::start().await;
    let channel = stack.authorized_channel("alerts").await;
    // Both name the issue by its id alone. The channel has not seen it yet.
    let (comment, seer) = (fixture("comment.created.json"), fixture("seer.root_cause_completed.json"));
    stack.accepted(channel, &comment).await;
    stack.until_drained(SOON).await;
    stack.accepted(channel, &issue_change("6100123456", "KeyError: 'x'", "created", "")).await;
    stack.until_drained(SOON).await;
    // The bytes differ, because the same ones would be a repeat.
    let again = String::from_utf8_lossy(comment.body()).replace("340577", "340578");
    stack.accepted(channel, &Webhook::platform("comment", again)).await;
    stack.until_drained(SOON).await;
    stack.accepted(channel, &seer).await;
    stack.until_drained(SOON).await;

    let messages = stack.sandbox.messages(channel);
    let embeds: Vec<_> = messages.iter().flat_map(|message| message.embeds()).collect();
    let told: Vec<_> = embeds.iter().filter(|embed| is_modern(embed)).collect();
    let links: Vec<_> = told.iter().map(|embed| embed.to_string().contains("/issues/6100123456/")).collect();
    assert_eq!(links, [false, true, true, true], "{told:?}");
    let titles: Vec<_> = stack.shown(channel).into_iter().map(|shown| shown.title).collect();
    assert_eq!(titles, ["Issue 6100123456", "KeyError: 'x'", "KeyError: 'x'", "KeyError: 'x'"]);

    // A change of the issue is shown in its own message, not in a remark.
    stack.accepted(channel, &issue_change("6100123456", "KeyError: 'x'", "resolved", "Jane")).await;
    stack.until_drained(SOON).await;
    let changed: Vec<_> = stack.shown(channel).iter().map(|shown| shown.status.is_some()).collect();
    assert_eq!(changed, [false, true, false, false]);
    assert_eq!(stack.stored("DEAD_LETTERS").await, 0);
    stack.assert_clean();
}
