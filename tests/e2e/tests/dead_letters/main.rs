//! Alerts that cannot be posted: kept with the reason, shown to the operator,
//! replayed by the channel's admins.

use std::{process::Command, time::Duration};

use e2e::{Dead, Stack};
use harness::{service::binary, wait::wait_for};
use sandbox_discord::{Effect, Fault};
use sentry_sender::{Webhook, body::Exception};

const LONG: Duration = Duration::from_secs(30);
const POSTS: &str = "POST /channels/{channel_id}/messages";

fn webhook(number: u32) -> Webhook {
    Webhook::legacy(Exception::new(format!("alert {number}")).issue(number.to_string()).json())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_discord_closes_costs_one_request_and_heals_when_it_is_authorized_again() {
    let stack = Stack::start().await;
    let channel = stack.authorized_channel("alerts").await;
    stack.sandbox.add_fault(Fault::new(Effect::MissingAccess).on_channel(channel));
    for number in 1..=5 {
        stack.accepted(channel, &webhook(number)).await;
    }
    stack.until_dead(5).await;
    assert_eq!(stack.sandbox.stats().answers(POSTS, Some(403)), 1);

    stack.sandbox.clear_faults();
    stack.accepted(channel, &webhook(6)).await;
    stack.until_dead(6).await;
    let reply = stack.command(stack.owner, &format!("!sentry authorize <#{channel}>")).await;
    assert!(
        reply.content().starts_with(&format!("<#{channel}> is already authorized")),
        "{}",
        reply.content()
    );
    let shown = stack.until_shown(channel, 6, LONG).await;
    let titles: Vec<&str> = shown.iter().map(|shown| shown.title.as_str()).collect();
    assert_eq!(titles, ["alert 1", "alert 2", "alert 3", "alert 4", "alert 5", "alert 6"]);
    stack.accepted(channel, &webhook(7)).await;
    assert_eq!(stack.until_shown(channel, 7, LONG).await[6].title, "alert 7");
    stack.until_dead(0).await;
    stack.until_drained(LONG).await;
    stack.assert_clean();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_is_revoked_while_its_alerts_wait_gets_none_of_them() {
    let stack = Stack::start().await;
    let channel = stack.authorized_channel("alerts").await;
    stack.accepted(channel, &webhook(0)).await;
    stack.until_shown(channel, 1, LONG).await;
    stack.sandbox.add_fault(Fault::new(Effect::Status(500)).on_channel(channel));
    for number in 1..=4 {
        stack.accepted(channel, &webhook(number)).await;
    }
    wait_for("Discord fails", LONG, || async {
        (stack.sandbox.stats().answers(POSTS, Some(500)) > 0).then_some(())
    })
    .await;
    let reply = stack.command(stack.owner, &format!("!sentry revoke <#{channel}>")).await;
    assert_eq!(reply.content(), format!("Revoked access from <#{channel}>"));
    stack.until_dead(4).await;
    stack.sandbox.clear_faults();
    stack.until_drained(LONG).await;
    assert_eq!(stack.shown(channel).len(), 1);
    assert_eq!(stack.discord.metric("sentry_bot_dead_letters_total").await, 4.0);

    // After a 500 Discord may show the post. That is still so after a failed
    // replay.
    let doubtful = |dead: &[Dead]| dead.iter().filter(|letter| letter.may_have_been_posted).count();
    let doubts = doubtful(&stack.dead_letters().await);
    assert!(doubts > 0);
    let replay = Command::new(binary("discord-service"))
        .args(["dead-letters", "replay"])
        .env_clear()
        .env("NATS_URL", stack.nats.url())
        .output();
    assert!(replay.expect("the binary runs").status.success());
    wait_for("they are dead again", LONG, || async {
        (stack.discord.metric("sentry_bot_dead_letters_total").await == 8.0).then_some(())
    })
    .await;
    stack.until_dead(4).await;
    assert_eq!(doubtful(&stack.dead_letters().await), doubts);
    stack.assert_clean();
}
