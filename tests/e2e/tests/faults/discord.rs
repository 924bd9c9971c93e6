//! A Discord that fails in every way it can.

use std::time::Duration;

use e2e::{Ledger, Seed, Storm, scaled};
use sandbox_discord::{Effect, Fault, Scope};

use crate::{SETTLED, builder};

async fn storm_while(name: &str, faults: impl FnOnce(u64) -> Vec<Fault>) {
    let (seed, ledger) = (Seed::new(), Ledger::default());
    let stack = builder().start().await;
    let channels = stack.authorized_channels(scaled(4, 20), &ledger).await;
    for fault in faults(seed.0) {
        stack.sandbox.add_fault(fault);
    }
    Storm { channels: &channels, first: 0, each: scaled(40, 100), noisy: 0.3, pause: Duration::ZERO }
        .rage(&stack, &ledger, &seed)
        .await;
    ledger.settle(&stack, SETTLED).await;
    assert!(stack.dead_letters().await.is_empty(), "{name}: nothing of this is final");
    assert!(stack.discord.metric("sentry_bot_discord_requests_total").await > 0.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenth_of_the_posts_fails_in_each_way() {
    storm_while("a tenth", |seed| {
        let sometimes = |effect, stream| Fault::new(effect).with_probability(0.1, seed + stream);
        vec![
            sometimes(Effect::Status(500), 0),
            sometimes(Effect::Status(500), 1).after(),
            sometimes(Effect::Cut, 2).after(),
            sometimes(Effect::RateLimited(Duration::from_millis(300), Scope::User), 3),
            sometimes(Effect::RateLimited(Duration::from_millis(200), Scope::Shared), 4),
        ]
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_of_global_429s_stops_everything_for_a_moment() {
    storm_while("429", |_| {
        vec![Fault::new(Effect::RateLimited(Duration::from_millis(700), Scope::Global)).times(5)]
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn discord_is_silent_for_longer_than_anybody_waits() {
    storm_while("silence", |seed| {
        let silence = Fault::new(Effect::Silence(Duration::from_secs(scaled(12, 30))));
        // Before the message is made, so that a late one meets its own repeat.
        let after = silence.clone().after();
        let (before, after) = if scaled(false, true) {
            (silence.with_probability(0.1, seed), after.with_probability(0.1, seed + 1))
        } else {
            (silence.times(2), after.times(1))
        };
        vec![before, after]
    })
    .await;
}
