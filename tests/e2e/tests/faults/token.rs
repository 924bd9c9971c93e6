//! A token that Discord refuses never heals.

use e2e::Ledger;
use harness::{service::Service, wait::SOON};
use sandbox_discord::{Effect, Fault};

use crate::builder;

const LINE: &str = "discord-service: Discord refused the bot's token: set DISCORD_TOKEN to a valid one";

#[tokio::test(flavor = "multi_thread")]
async fn refused_at_the_start_or_later_it_ends_the_process_with_one_clear_line() {
    let ledger = Ledger::default();
    let mut stack = builder().start().await;
    let channel = stack.authorized_channels(1, &ledger).await[0];
    stack.until_drained(SOON).await;

    let (nats, api) = (stack.nats.url(), stack.sandbox.url());
    let variables = [
        ("RUNTIME_MODE", "development"),
        ("NATS_URL", nats.as_str()),
        ("DISCORD_API_URL", api.as_str()),
        ("DISCORD_TOKEN", "wrong"),
    ];
    let mut refused = Service::start("discord-service", &variables);
    assert_eq!(refused.ended(SOON).await.code(), Some(77));
    assert_eq!(refused.log().lines().filter(|line| line.contains("refused the bot's token")).count(), 1);
    assert!(refused.log().lines().any(|line| line.contains(LINE)), "{}", refused.log());

    // Discord refuses the token once, though it is valid: a passing fault.
    stack.sandbox.add_fault(Fault::new(Effect::Unauthorized).times(1));
    ledger.send(&stack, channel, "refused by Discord's edge").await;
    stack.until_drained(SOON).await;
    assert!(stack.dead_letters().await.is_empty());

    stack.sandbox.add_fault(Fault::new(Effect::Unauthorized).everywhere());
    ledger.send(&stack, channel, "while the token is refused").await;
    assert_eq!(stack.discord.ended(SOON).await.code(), Some(77));
    assert!(stack.discord.log().lines().any(|line| line.contains(LINE)), "{}", stack.discord.log());

    // With a good one again, nothing is lost.
    stack.sandbox.clear_faults();
    stack.discord.restart();
    ledger.settle(&stack, SOON).await;
}
