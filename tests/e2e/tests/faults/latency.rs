//! How long a lone alert takes on its whole way.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use e2e::{Ledger, Stack, report, scaled};
use sandbox_discord::{Config, Limit};

use crate::SETTLED;

#[tokio::test(flavor = "multi_thread")]
async fn a_lone_alert_waits_for_nothing() {
    let ledger = Ledger::default();
    let config = Config::default().clocks(|clocks| {
        clocks.identify_window = Duration::from_millis(200);
        clocks.channel = Limit::new(1_000, Duration::from_secs(1));
    });
    let stack = Stack::builder().sandbox(config).start().await;
    let channel = stack.authorized_channels(1, &ledger).await[0];
    stack.until_drained(SETTLED).await;
    let before = stack.alerts(channel);
    let mut took_ms = Vec::new();
    for number in 0..scaled(40, 400) {
        let start = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis() as u64;
        ledger.send(&stack, channel, &format!("alert {number}")).await;
        let shown = stack.until_shown(channel, before + number + 1, Duration::from_secs(10)).await;
        took_ms.push(shown.last().expect("it is shown").posted_ms().saturating_sub(start));
    }
    took_ms.sort_unstable();
    let at = |percent: usize| took_ms[(took_ms.len() - 1) * percent / 100];
    let (half, most) = (at(50), at(99));
    report(&format!("a lone alert, from Sentry's request to the post: p50 {half} ms, p99 {most} ms"));
    assert!(half < 250, "an artificial delay? {took_ms:?}");
    ledger.settle(&stack, Duration::from_secs(10)).await;
}
