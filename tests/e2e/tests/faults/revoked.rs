//! A channel that is revoked while its alerts wait.

use std::time::Duration;

use e2e::{Ledger, publish, scaled};
use harness::wait::{SOON, wait_for};
use sandbox_discord::{Effect, Fault, Scope};

use crate::{SETTLED, builder};

#[tokio::test(flavor = "multi_thread")]
async fn none_is_posted_and_each_is_a_dead_letter_that_says_why() {
    let (ledger, alerts) = (Ledger::default(), scaled(1_200, 5_000));
    let stack = builder().start().await;
    let channel = stack.authorized_channels(1, &ledger).await[0];
    stack.until_drained(SETTLED).await;
    let before = stack.alerts(channel);
    // Discord takes nothing there for a while; the first post waits for that.
    let wait = Duration::from_secs(8);
    stack.sandbox.add_fault(Fault::new(Effect::RateLimited(wait, Scope::User)).on_channel(channel).times(1));
    let titles = (0..alerts).map(|number| format!("alert {}", number % 700));
    titles.clone().for_each(|title| ledger.note(channel, &title, true));
    publish(&stack, channel, titles).await;
    wait_for("Discord says 429", SOON, || async { (stack.sandbox.stats().rate_limited == 1).then_some(()) })
        .await;
    let reply = stack.command(stack.owner, &format!("!sentry channel revoke <#{channel}>")).await;
    assert_eq!(reply.content(), format!("Revoked access from <#{channel}>"));
    ledger.settle(&stack, SETTLED).await;
    assert_eq!(stack.alerts(channel), before, "only what came before");
    let dead = stack.dead_letters().await;
    assert_eq!(dead.len(), alerts);
    assert!(dead.iter().all(|letter| letter.reason == "revoked"
        && !letter.may_have_been_posted
        && letter.detail.contains("no longer authorized")));
}
