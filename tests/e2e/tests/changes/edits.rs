//! Edits that fail, wait or are impossible. No post waits for them.

use std::time::{Duration, Instant};

use e2e::{Stack, issue_change, regression};
use harness::wait::wait_for;
use sandbox_discord::{Config, Effect, Fault, Limit, Scope};

use crate::{EDIT, GREEN, LONG, change, colours, stack, status, statuses, tell};

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_edited_is_a_message_of_its_own() {
    let stack = stack().await;
    let channel = stack.authorized_channel("alerts").await;
    // The issue has no message yet, and gets one only later.
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

    // A refusal that is about the message alone.
    stack.sandbox.add_fault(Fault::new(Effect::Refuse(400, 50_035)).on_endpoint(EDIT).times(1));
    tell(&stack, channel, &change("resolved", "Jane")).await;
    assert_eq!(stack.alerts(channel), 2);
    // Discord hangs up after it has done the edit.
    stack.sandbox.add_fault(Fault::new(Effect::Cut).on_endpoint(EDIT).after().times(1));
    tell(&stack, channel, &change("unresolved", "Ann")).await;
    assert_eq!(stack.sandbox.messages(channel).len(), 2);
    assert_eq!(status(&stack.shown(channel)[1]), "Reopened by Ann");
    stack.assert_all_posted(LONG).await;
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
    stack.assert_all_posted(LONG).await;
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
    stack.assert_all_posted(LONG).await;
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
    stack.accepted(channel, &issue_change("8", "ValueError", "resolved", "Jane")).await;
    wait_for("the edit has to wait", LONG, || async {
        (stack.sandbox.stats().answers(EDIT, Some(429)) == 1).then_some(())
    })
    .await;

    let begin = Instant::now();
    stack.accepted(channel, &regression("7", "KeyError")).await;
    stack.until_shown(channel, 3, LONG).await;
    stack.accepted(channel, &issue_change("8", "ValueError", "archived", "Ann")).await;
    stack.accepted(channel, &issue_change("9", "OSError", "created", "")).await;
    stack.until_shown(channel, 4, LONG).await;
    let news = begin.elapsed();
    assert_eq!(stack.sandbox.stats().answers(EDIT, Some(200)), 1, "{news:?}");
    stack.until_drained(LONG).await;
    assert_eq!(statuses(&stack, channel), ["Resolved by Jane", "Archived by Ann", "", ""]);
    let edits = |status| stack.sandbox.stats().answers(EDIT, Some(status));
    assert_eq!((edits(200), edits(429)), (2, 1), "the news after {news:?}");
    stack.assert_all_posted(LONG).await;
}
