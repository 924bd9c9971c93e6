//! One channel's trouble does not affect another.

use std::time::Duration;

use e2e::{Ledger, Stack, publish, report, scaled, worst_but_one};
use sandbox_discord::{Config, Effect, Fault, Limit};
use shared::wire;
use tokio::time::{Instant, sleep_until};

/// More than the calm channel's own limit takes between two posts.
const PACE: Duration = Duration::from_millis(450);

/// How long lone alerts take until they are shown. One of them may take longer.
async fn lone_alerts(stack: &Stack, ledger: &Ledger, channel: u64, name: &str, count: usize) -> Duration {
    let mut took = Vec::new();
    for number in 0..count {
        let already = stack.alerts(channel);
        let start = Instant::now();
        let status = ledger.send(stack, channel, &format!("{name} {number}")).await;
        assert!(matches!(status, Some(200 | 202)), "{status:?}");
        stack.until_shown(channel, already + 1, Duration::from_secs(20)).await;
        took.push(start.elapsed());
        sleep_until(start + PACE).await;
    }
    worst_but_one(took)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_a_forbidden_and_a_hanging_channel_delay_no_other() {
    let waiting = scaled(3_000, 10_000);
    let ledger = Ledger::default();
    let config = Config::default().clocks(|clocks| {
        clocks.identify_window = Duration::from_millis(200);
        clocks.channel = Limit::new(5, Duration::from_secs(2));
    });
    let stack = Stack::builder().sandbox(config).start().await;
    let channels = stack.authorized_channels(4, &ledger).await;
    let [full, forbidden, hanging, calm] = channels[..] else { unreachable!("four were asked for") };
    let before = lone_alerts(&stack, &ledger, calm, "before", 8).await;

    let silence = Effect::Silence(Duration::from_secs(60));
    stack.sandbox.add_fault(Fault::new(silence).on_channel(hanging));
    stack.sandbox.add_fault(Fault::new(Effect::MissingAccess).on_channel(forbidden));
    for number in 0..5 {
        ledger.send(&stack, hanging, &format!("hangs {number}")).await;
        ledger.send(&stack, forbidden, &format!("forbidden {number}")).await;
    }
    let memory_before = stack.discord.memory();
    // Each of ten issues has every tenth alert, so there is much to fold and to
    // remove one by one.
    let filling = publish(&stack, full, (0..waiting).map(|number| format!("full {}", number % 11)));
    let (during, ()) = tokio::join!(lone_alerts(&stack, &ledger, calm, "during", 12), filling);
    let more = publish(&stack, full, (0..waiting).map(|number| format!("different {number}")));
    let (different, ()) = tokio::join!(lone_alerts(&stack, &ledger, calm, "different", 12), more);
    report(&format!(
        "a lone alert's worst time but one: {before:?} alone, {during:?} and {different:?} beside storms"
    ));
    assert!(during.max(different) < before + Duration::from_secs(1));

    if let (Some(before), Some(now)) = (memory_before, stack.discord.memory()) {
        let mib = now.saturating_sub(before) >> 20;
        report(&format!("{mib} MiB more memory with {} alerts waiting", stack.stored(wire::ALERTS).await));
        assert!(mib < 64, "what waits is to wait in JetStream: {mib} MiB");
    }
    let dead = stack.dead_letters().await;
    let refused = dead.iter().filter(|letter| letter.channel == forbidden.to_string());
    assert_eq!(refused.filter(|letter| letter.reason == "unreachable").count(), 5);
}
