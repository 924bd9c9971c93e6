//! Processes that are killed at random moments in the middle of a storm.

use std::time::Duration;

use e2e::{Ledger, Seed, Storm, report, scaled};
use rand::Rng as _;
use sandbox_discord::{Effect, Fault};
use tokio::time::sleep;

use crate::{SETTLED, builder};

/// Spreads the alerts over the time in which processes are killed.
const PAUSE: Duration = Duration::from_millis(150);

#[tokio::test(flavor = "multi_thread")]
async fn discord_service_is_killed_at_random_moments() {
    let (seed, ledger) = (Seed::new(), Ledger::default());
    let mut stack = builder().start().await;
    let channels = stack.authorized_channels(scaled(4, 20), &ledger).await;
    let storm = Storm { channels: &channels, first: 0, each: scaled(40, 100), noisy: 0.3, pause: PAUSE };
    // Often Discord has made the message already when the process is killed.
    let late = Effect::Silence(Duration::from_millis(200));
    stack.sandbox.add_fault(Fault::new(late).after().with_probability(0.5, seed.0));
    // The process is killed by its id, past the handle that the senders share.
    let (mut rng, kills) = (seed.rng(999), scaled(4, 20));
    for round in 0..kills {
        let each = storm.each.div_ceil(kills);
        let part = Storm { first: round * each, each, ..storm };
        let moment = Duration::from_millis(rng.random_range(0..1_200));
        let part_seed = Seed(seed.0 + round as u64);
        let killed = async {
            sleep(moment).await;
            stack.discord.signal("KILL");
        };
        tokio::join!(part.rage(&stack, &ledger, &part_seed), killed);
        stack.discord.restart();
    }
    ledger.settle(&stack, SETTLED).await;
    assert!(stack.dead_letters().await.is_empty());
    let repeated = stack.discord.log().matches("repeating an unfinished post").count();
    let known = stack.sandbox.stats().nonce_repeats;
    report(&format!("{kills} kills met {repeated} unfinished posts; Discord had {known} of them already"));
}

#[tokio::test(flavor = "multi_thread")]
async fn nats_is_killed_at_random_moments_and_keeps_its_files() {
    let (seed, ledger) = (Seed::new(), Ledger::default());
    let mut stack = builder().start().await;
    let channels = stack.authorized_channels(scaled(4, 20), &ledger).await;
    let storm = Storm { channels: &channels, first: 0, each: scaled(30, 100), noisy: 0.3, pause: PAUSE };
    let (mut rng, kills) = (seed.rng(999), scaled(3, 10));
    for round in 0..kills {
        let each = storm.each.div_ceil(kills);
        let part = Storm { first: round * each, each, ..storm };
        let moment = Duration::from_millis(rng.random_range(0..800));
        let part_seed = Seed(seed.0 + round as u64);
        let killed = async {
            sleep(moment).await;
            stack.nats.signal("KILL");
        };
        tokio::join!(part.rage(&stack, &ledger, &part_seed), killed);
        stack.nats.restart().await;
        stack.ingress.ready().await;
    }
    ledger.settle(&stack, SETTLED).await;
    assert!(stack.dead_letters().await.is_empty());
    let said = stack.discord.log().matches("lanes start over").count();
    assert!(said <= kills, "an outage is said once, not {said} times in {kills}");
}
