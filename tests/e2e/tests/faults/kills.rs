//! Processes that are killed at random moments in the middle of a storm.

use std::time::Duration;

use e2e::{Ledger, Seed, Stack, Storm, report, scaled};
use rand::Rng as _;
use sandbox_discord::{Effect, Fault};
use tokio::time::sleep;

use crate::{SETTLED, builder};

/// Spreads the alerts over the time in which processes are killed.
const PAUSE: Duration = Duration::from_millis(150);
/// The longest from the beginning of a part of the storm to the death of a
/// process.
const MOMENT_MS: u64 = 1_200;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Victim {
    Ingress,
    Nats,
    Discord,
}

impl Victim {
    /// By its process id, past the handle that the senders share.
    fn kill(self, stack: &Stack) {
        match self {
            Self::Ingress => stack.ingress.signal("KILL"),
            Self::Nats => stack.nats.signal("KILL"),
            Self::Discord => stack.discord.signal("KILL"),
        }
    }

    async fn restart(self, stack: &mut Stack) {
        match self {
            Self::Ingress => stack.ingress.restart(),
            Self::Nats => stack.nats.restart().await,
            Self::Discord => stack.discord.restart(),
        }
        stack.ingress.ready().await;
    }
}

async fn storm_while_killing(victim: Victim, kills: usize) {
    let (seed, ledger) = (Seed::new(), Ledger::default());
    let mut stack = builder().start().await;
    let channels = stack.authorized_channels(scaled(4, 20), &ledger).await;
    // Often Discord has made the message already when the process is killed.
    let late = Effect::Silence(Duration::from_millis(200));
    stack.sandbox.add_fault(Fault::new(late).after().with_probability(0.5, seed.0));
    let (mut rng, each) = (seed.rng(999), scaled(40, 100_usize).div_ceil(kills));
    for round in 0..kills {
        let part = Storm { channels: &channels, first: round * each, each, noisy: 0.3, pause: PAUSE };
        let part_seed = Seed(seed.0 + round as u64);
        let killed = async {
            sleep(Duration::from_millis(rng.random_range(0..MOMENT_MS))).await;
            victim.kill(&stack);
        };
        tokio::join!(part.rage(&stack, &ledger, &part_seed), killed);
        victim.restart(&mut stack).await;
    }
    ledger.settle(&stack, SETTLED).await;
    assert!(stack.dead_letters().await.is_empty());
    let repeated = stack.discord.log().matches("repeating an unfinished post").count();
    let known = stack.sandbox.stats().nonce_repeats;
    report(&format!(
        "{} alerts, {kills} kills of {victim:?}: {repeated} unfinished posts, {known} of which Discord had already",
        ledger.accepted()
    ));
    let said = stack.discord.log().matches("lanes start over").count();
    assert!(said <= kills, "an outage is said once, not {said} times in {kills}");
}

#[tokio::test(flavor = "multi_thread")]
async fn discord_service_is_killed_at_random_moments() {
    storm_while_killing(Victim::Discord, scaled(4, 20)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nats_is_killed_at_random_moments_and_keeps_its_files() {
    storm_while_killing(Victim::Nats, scaled(3, 10)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ingress_is_killed_at_random_moments() {
    storm_while_killing(Victim::Ingress, scaled(2, 10)).await;
}
