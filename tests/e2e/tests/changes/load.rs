//! Many changes at once, and processes that die between them.

use std::time::{Duration, Instant};

use e2e::{Ledger, Seed, publish, report, scaled};
use harness::wait::wait_for;
use rand::Rng as _;
use sandbox_discord::{Effect, Fault};

use crate::{EDIT, LONG, stack};

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
