//! How fast a storm drains under Discord's own limits, and at what price.

use std::time::{Duration, Instant};

use e2e::{Ledger, Shown, Stack, publish, report, scaled};
use futures::{StreamExt as _, stream};
use sandbox_discord::{Config, Limit};

const CREATE_MESSAGE: &str = "POST /channels/{channel_id}/messages";

fn assert_few_429s(stack: &Stack) {
    let stats = stack.sandbox.stats();
    let posts = stats.answers(CREATE_MESSAGE, None);
    report(&format!("{} answers of 429 to {posts} posts", stats.rate_limited));
    assert!(stats.rate_limited * 100 <= posts, "{} of {posts} posts met a 429", stats.rate_limited);
}

#[tokio::test(flavor = "multi_thread")]
async fn different_alerts_drain_nearly_as_fast_as_full_posts_may_go() {
    let (alerts, period) = scaled((200, 2), (1_000, 5));
    let period = Duration::from_secs(period);
    let sandbox = Config::default().clocks(|clocks| {
        clocks.identify_window = Duration::from_millis(200);
        clocks.channel = Limit::new(5, period);
    });
    let ledger = Ledger::default();
    let mut stack = Stack::builder().sandbox(sandbox).start().await;
    let posts = (alerts as u32).div_ceil(10);
    let ideal = period * (posts.div_ceil(5) - 1);
    let bound = ideal * 115 / 100;
    let mut quickest = Duration::MAX;
    // A busy machine may miss one of the channel's windows, but hardly in each storm.
    for storm in 0..3 {
        let channel = stack.authorized_channel(&format!("alerts-{storm}")).await;
        stack.discord.kill();
        let titles = (0..alerts).map(|number| format!("alert {number}"));
        titles.clone().for_each(|title| ledger.note(channel, &title, true));
        publish(&stack, channel, titles).await;
        stack.discord.restart();
        ledger.settle(&stack, 100 * period).await;

        let shown = stack.shown(channel);
        let took = Duration::from_millis(shown[alerts - 1].posted_ms() - shown[0].posted_ms());
        report(&format!("{alerts} different alerts in one channel: {took:?}, ideal {ideal:?}"));
        quickest = quickest.min(took);
        if quickest <= bound {
            break;
        }
    }
    assert!(quickest <= bound, "{quickest:?}, ideal {ideal:?}");
    assert_few_429s(&stack);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storm_of_few_issues_is_shown_within_ten_seconds() {
    let alerts = scaled(150, 1_000);
    let ledger = Ledger::default();
    let stack = Stack::start().await;
    let channel = stack.authorized_channels(1, &ledger).await[0];
    stack.until_drained(Duration::from_secs(10)).await;
    let before = stack.alerts(channel);
    let start = Instant::now();
    let sent = stream::iter(0..alerts).map(|number| {
        let (stack, ledger) = (&stack, &ledger);
        async move { ledger.send(stack, channel, &format!("issue {}", number % 5)).await }
    });
    sent.buffer_unordered(16)
        .for_each(|status| async move { assert!(matches!(status, Some(200 | 202))) })
        .await;
    let sent_in = start.elapsed();
    stack.until_shown(channel, before + alerts, Duration::from_secs(30)).await;
    report(&format!("{alerts} alerts of 5 issues: sent in {sent_in:?}, shown after {:?}", start.elapsed()));
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    ledger.settle(&stack, Duration::from_secs(30)).await;
    assert_few_429s(&stack);
    // The first alerts of the storm must not use up the posts of a window.
    let mut posted_ms: Vec<u64> = stack.shown(channel).iter().map(Shown::posted_ms).collect();
    posted_ms.dedup();
    let window = posted_ms.windows(5).map(|five| five[4] - five[0]).min();
    assert!(window.is_none_or(|took| took >= 250), "five posts within {window:?} ms");
}
