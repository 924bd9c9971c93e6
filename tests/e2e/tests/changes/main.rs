//! Changes of issues: told where the issue was told of.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use async_nats::jetstream;
use e2e::{Ledger, Seed, Shown, Stack, issue_change, publish, regression, report, scaled};
use harness::wait::wait_for;
use rand::Rng as _;
use sandbox_discord::{Config, Effect, Fault, Limit, Scope};
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

/// Sends it and waits until it is told.
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

async fn settled(stack: &Stack) {
    stack.until_drained(LONG).await;
    assert_eq!(stack.stored("DEAD_LETTERS").await, 0);
    stack.assert_clean();
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

    // Another pod knows what this one told.
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
    // What an edit showed counts as posted, and so does what the messages show already.
    resolved_before(&stack, channel).await;
    stack.until_drained(LONG).await;
    assert_eq!(colours(&stack, channel), [RED, RED]);
    let said = stack.status(channel).await;
    assert!(said.contains("\nReceived = 7\nPosted = 7\nWaiting = None\nDead Letters = None\n"), "{said}");
    settled(&stack).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_edited_is_a_message_of_its_own() {
    let stack = stack().await;
    let channel = stack.authorized_channel("alerts").await;
    // Of an issue that nobody told of, and which is told of only later.
    tell(&stack, channel, &change("resolved", "Jane")).await;
    tell(&stack, channel, &change("created", "")).await;
    assert_eq!(statuses(&stack, channel), ["", "Resolved by Jane"]);
    assert_eq!(colours(&stack, channel), [GREEN, GREEN]);
    tell(&stack, channel, &change("archived", "Bob")).await;
    assert_eq!(statuses(&stack, channel), ["Archived by Bob", "Archived by Bob"]);

    for message in stack.sandbox.messages(channel) {
        assert!(stack.sandbox.delete_message(channel, message.id));
    }
    tell(&stack, channel, &change("resolved", "Ann")).await;
    assert_eq!(colours(&stack, channel), [GREEN]);
    tell(&stack, channel, &change("unresolved", "Ann")).await;
    assert_eq!(statuses(&stack, channel), ["Reopened by Ann"]);

    // A refusal that concerns the message alone.
    stack.sandbox.add_fault(Fault::new(Effect::Refuse(400, 50_035)).on_endpoint(EDIT).times(1));
    tell(&stack, channel, &change("resolved", "Jane")).await;
    assert_eq!(stack.alerts(channel), 2);
    // Discord hangs up after it has done the edit.
    stack.sandbox.add_fault(Fault::new(Effect::Cut).on_endpoint(EDIT).after().times(1));
    tell(&stack, channel, &change("unresolved", "Ann")).await;
    assert_eq!(stack.sandbox.messages(channel).len(), 2);
    assert_eq!(status(&stack.shown(channel)[1]), "Reopened by Ann");
    settled(&stack).await;
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
    settled(&stack).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_that_fails_holds_up_no_post_and_is_done_in_the_end() {
    let stack = stack().await;
    let channel = stack.authorized_channel("alerts").await;
    tell(&stack, channel, &change("created", "")).await;
    stack.sandbox.add_fault(Fault::new(Effect::Status(500)).on_endpoint(EDIT));
    stack.accepted(channel, &change("resolved", "Jane")).await;
    wait_for("the edit fails", LONG, || async {
        (stack.sandbox.stats().answers(EDIT, Some(500)) > 1).then_some(())
    })
    .await;
    for number in 0..3 {
        let begin = Instant::now();
        stack.accepted(channel, &issue_change(&format!("8{number}"), "ValueError", "created", "")).await;
        stack.until_shown(channel, number + 2, LONG).await;
        assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
    }
    assert_eq!(status(&stack.shown(channel)[0]), "");
    stack.sandbox.clear_faults();
    stack.until_drained(LONG).await;
    assert_eq!(status(&stack.shown(channel)[0]), "Resolved by Jane");
    assert_eq!(stack.alerts(channel), 4, "no change became a message of its own");
    settled(&stack).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_that_has_to_wait_delays_no_news() {
    let stack = stack().await;
    let channel = stack.authorized_channel("alerts").await;
    tell(&stack, channel, &change("created", "")).await;
    let wait = Duration::from_secs(4);
    stack.sandbox.add_fault(Fault::new(Effect::RateLimited(wait, Scope::User)).on_endpoint(EDIT).times(1));
    stack.accepted(channel, &change("resolved", "Jane")).await;
    wait_for("the edit has to wait", LONG, || async {
        (stack.sandbox.stats().answers(EDIT, Some(429)) == 1).then_some(())
    })
    .await;
    stack.accepted(channel, &issue_change("8", "ValueError", "created", "")).await;
    stack.until_drained(LONG).await;
    assert_eq!(statuses(&stack, channel), ["Resolved by Jane", ""]);
    let messages = stack.sandbox.messages(channel);
    let edited = messages[0].json["edited_timestamp"].as_str();
    assert!(messages[1].json["timestamp"].as_str() < edited, "the news waited for the edit: {messages:?}");
    settled(&stack).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_too_old_to_be_edited_often_hold_no_news_up_and_are_edited_once_for_all() {
    let sandbox = Config::default().clocks(|clocks| {
        clocks.old_message = Duration::ZERO;
        clocks.old_edits = Limit::new(1, Duration::from_secs(12));
    });
    let stack = Stack::builder().sandbox(sandbox).start().await;
    let channel = stack.authorized_channel("alerts").await;
    tell(&stack, channel, &change("created", "")).await;
    tell(&stack, channel, &issue_change("8", "ValueError", "created", "")).await;
    tell(&stack, channel, &change("resolved", "Jane")).await;
    assert_eq!(stack.send(channel, &issue_change("8", "ValueError", "resolved", "Jane")).await.status, 200);
    wait_for("the edit has to wait", LONG, || async {
        (stack.sandbox.stats().answers(EDIT, Some(429)) == 1).then_some(())
    })
    .await;

    let begin = Instant::now();
    assert_eq!(stack.send(channel, &regression("7", "KeyError")).await.status, 200);
    stack.until_shown(channel, 3, LONG).await;
    assert_eq!(stack.send(channel, &issue_change("8", "ValueError", "archived", "Ann")).await.status, 200);
    assert_eq!(stack.send(channel, &issue_change("9", "OSError", "created", "")).await.status, 200);
    stack.until_shown(channel, 4, LONG).await;
    let news = begin.elapsed();
    assert_eq!(stack.sandbox.stats().answers(EDIT, Some(200)), 1, "{news:?}");
    stack.until_drained(LONG).await;
    assert_eq!(statuses(&stack, channel), ["Resolved by Jane", "Archived by Ann", "", ""]);
    let edits = |status| stack.sandbox.stats().answers(EDIT, Some(status));
    assert_eq!((edits(200), edits(429)), (2, 1), "the news after {news:?}");
    settled(&stack).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_changes_cost_no_more_than_their_messages_and_delay_no_news() {
    let mut stack = stack().await;
    let (channel, other) =
        (stack.authorized_channel("alerts").await, stack.authorized_channel("other").await);
    let issues = scaled(100, 1_000);
    let ledger = Ledger::default();
    let titles: Vec<String> = (0..issues).map(|number| format!("issue {number}")).collect();
    wait_for("a verdict", LONG, || async {
        (ledger.send(&stack, channel, "the first").await == Some(200)).then_some(())
    })
    .await;
    stack.until_drained(LONG).await;
    let before = stack.sandbox.messages(channel).len();
    stack.discord.kill();
    publish(&stack, channel, titles.iter().cloned()).await;
    titles.iter().for_each(|title| ledger.note(channel, title, true));
    stack.discord.restart();
    stack.until_drained(LONG).await;
    let messages = stack.sandbox.messages(channel).len();
    assert!(messages <= before + issues / 10, "{messages} messages");

    stack.discord.kill();
    for title in titles.iter().cycle().take(2 * issues) {
        assert!(ledger.change(&stack, channel, title, "resolved").await.is_some());
    }
    assert_eq!(ledger.send(&stack, channel, "news").await, Some(202));
    let begin = Instant::now();
    stack.discord.restart();
    stack.until_shown(channel, ledger.accepted(), LONG).await;
    let news = begin.elapsed();
    assert_eq!(ledger.send(&stack, other, "elsewhere").await.map(|status| status / 100), Some(2));
    ledger.settle(&stack, LONG).await;
    let edits = stack.sandbox.stats().answers(EDIT, Some(200));
    assert!(edits <= messages as u64, "{edits} edits of {messages} messages");
    let after = stack.sandbox.messages(channel);
    let news_at = after.last().and_then(|message| message.json["timestamp"].as_str());
    let last_edit = after.iter().filter_map(|message| message.json["edited_timestamp"].as_str()).max();
    assert!(news_at < last_edit, "the news of {news_at:?} waited for the edits until {last_edit:?}");
    report(&format!(
        "{} changes of {issues} issues: {edits} edits in {:?}, the news after {news:?}",
        2 * issues,
        begin.elapsed()
    ));
    assert_eq!(stack.stored("DEAD_LETTERS").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_dies_between_an_edit_and_its_end_tells_each_change_once() {
    let (seed, ledger) = (Seed::new(), Ledger::default());
    let mut stack = stack().await;
    let channel = stack.authorized_channel("alerts").await;
    let titles = ["noise 0", "noise 1", "noise 2"];
    for title in titles {
        wait_for("a verdict", LONG, || async {
            (ledger.send(&stack, channel, title).await == Some(200)).then_some(())
        })
        .await;
    }
    stack.until_drained(LONG).await;
    let posts = stack.sandbox.messages(channel).len();
    let late = Effect::Silence(Duration::from_millis(150));
    stack.sandbox.add_fault(Fault::new(late).on_endpoint(EDIT).after().with_probability(0.7, seed.0));
    let mut rng = seed.rng(1);
    for _ in 0..scaled(4, 20) {
        for _ in 0..6 {
            ledger.change(&stack, channel, titles[rng.random_range(0..3)], "archived").await;
        }
        tokio::time::sleep(Duration::from_millis(rng.random_range(0..400))).await;
        stack.discord.kill();
        ledger.change(&stack, channel, titles[rng.random_range(0..3)], "archived").await;
        stack.discord.restart();
    }
    ledger.settle(&stack, LONG).await;
    assert_eq!(stack.sandbox.messages(channel).len(), posts, "no change became a message of its own");
    assert_eq!(stack.stored("DEAD_LETTERS").await, 0);
}
