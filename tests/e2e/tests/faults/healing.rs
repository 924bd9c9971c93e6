//! Channels that Discord closes to the bot, and that open again by themselves.

use std::time::Duration;

use e2e::Ledger;
use sandbox_discord::{Effect, Fault, Target};

use crate::{SETTLED, builder};

const SEND_MESSAGES: u64 = 1 << 11;
const POSTS: &str = "POST /channels/{channel_id}/messages";

#[tokio::test(flavor = "multi_thread")]
async fn a_time_out_is_named_and_when_it_ends_what_came_meanwhile_follows() {
    let ledger = Ledger::default();
    let stack = builder().start().await;
    let channel = stack.authorized_channels(1, &ledger).await[0];
    stack.until_drained(SETTLED).await;
    stack.sandbox.time_out(stack.guild, stack.sandbox.bot(), Duration::from_secs(12));
    for number in 0..3 {
        ledger.send(&stack, channel, &format!("alert {number}")).await;
        stack.until_dead(number + 1).await;
    }
    assert_eq!(stack.sandbox.stats().answers(POSTS, Some(403)), 1, "the others cost Discord nothing");
    assert!(stack.dead_letters().await[0].detail.contains("timed out in this server until"));
    // Discord does not announce its end.
    stack.until_dead(0).await;
    ledger.settle(&stack, SETTLED).await;
    assert!(!stack.status(channel).await.contains("Blocked by Discord"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_permission_that_is_given_back_opens_the_channel_and_status_tells_the_truth() {
    let ledger = Ledger::default();
    let mut stack = builder().start().await;
    let channel = stack.authorized_channels(1, &ledger).await[0];
    stack.until_drained(SETTLED).await;
    let bot = Target::Member(stack.sandbox.bot());
    stack.sandbox.set_overwrite(channel, bot, 0, SEND_MESSAGES);
    ledger.send(&stack, channel, "alert 0").await;
    ledger.send(&stack, channel, "alert 1").await;
    stack.until_dead(2).await;
    let said = stack.status(channel).await;
    assert!(
        said.contains("Blocked by Discord = Blocked for") && said.contains("2 dead letters follow"),
        "{said}"
    );
    assert!(said.contains("Give the bot Send Messages there"), "{said}");
    // Another process knows of it.
    stack.discord.kill();
    stack.discord.restart();
    stack.discord.ready().await;
    stack.until_listening().await;
    stack.sandbox.set_overwrite(channel, bot, SEND_MESSAGES, 0);
    stack.until_dead(0).await;
    ledger.settle(&stack, SETTLED).await;
    assert!(!stack.status(channel).await.contains("Blocked by Discord"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_embed_of_many_alerts_that_discord_refuses_costs_a_handful_of_requests() {
    let ledger = Ledger::default();
    let mut stack = builder().start().await;
    let channel = stack.authorized_channels(1, &ledger).await[0];
    stack.until_drained(SETTLED).await;
    stack.discord.kill();
    let titles = || (0..200).map(|number| if number % 2 == 0 { "refused" } else { "innocent" }.to_owned());
    e2e::publish(&stack, channel, titles()).await;
    titles().for_each(|title| ledger.note(channel, &title, true));
    stack.sandbox.add_fault(Fault::new(Effect::Refuse(400, 50_035)).on_channel(channel).times(3));
    stack.discord.restart();
    ledger.settle(&stack, SETTLED).await;
    let refusals = stack.sandbox.stats().answers(POSTS, Some(400));
    assert_eq!(refusals, 3, "shared, alone, and without links");
    let dead = stack.dead_letters().await;
    assert_eq!(dead.len(), 100);
    assert!(dead.iter().all(|letter| letter.reason == "refused"), "{:?}", dead[0]);
}
