//! What admins can find out alone: what was refused, what became a dead letter,
//! what was posted, and whether a sample arrives. There are two pods, and each
//! may post.

use std::time::{Duration, Instant};

use e2e::Stack;
use harness::wait::{SOON, wait_for};
use sandbox_discord::{Effect, Fault};
use sentry_sender::{Webhook, body::Exception};

const LONG: Duration = Duration::from_secs(30);

fn webhook(title: &str) -> Webhook {
    Webhook::legacy(Exception::new(title).issue(title).json())
}

/// Sends a sample, and checks the time that the reply names.
async fn sample(stack: &Stack, channel: u64) {
    let started = Instant::now();
    let reply = stack.command_in(channel, stack.owner, "!sentry test").await;
    let says = "Sent a sample alert: it was posted after ";
    assert!(reply.content().starts_with(says), "{}", reply.content());
    let took = &reply.content()[says.len()..];
    let number = |unit| took.strip_suffix(unit).and_then(|number| number.parse::<f64>().ok());
    let took = number(" ms").map(|ms| ms / 1_000.0).or_else(|| number(" s")).expect("a time");
    // It is rounded to a tenth of a second.
    assert!((0.001..started.elapsed().as_secs_f64() + 0.1).contains(&took), "{took}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_sees_what_arrived_and_why_the_rest_did_not() {
    let mut stack = Stack::start().await;
    let second = stack.add_discord();
    second.ready().await;
    let channel = stack.authorized_channel("alerts").await;

    // Both pods post, because each of these channels gets a sample.
    for name in ["a", "b", "c", "d", "e"] {
        let other = stack.authorized_channel(name).await;
        sample(&stack, other).await;
        let shown = stack.until_shown(other, 1, SOON).await;
        assert_eq!(shown[0].title, "Sample alert: nothing is broken");
    }
    let unknown = stack.channel("unknown");
    assert_eq!(stack.send(unknown, &webhook("one")).await.status, 401);
    assert_eq!(stack.send(channel, &Webhook::legacy("{}")).await.status, 400);
    let mention = stack.url(channel, &format!("&mention={}", stack.owner));
    assert_eq!(stack.send_to(&mention, &webhook("one")).await.status, 401);
    stack.accepted(channel, &webhook("one")).await;
    stack.until_shown(channel, 1, SOON).await;
    let said = stack.until_status(channel, |said| said.matches("Refused").count() == 2).await;
    assert!(said.contains("The mentioned user has no project."), "{said}");
    assert!(said.contains("Sentry sent something this bot does not know"), "{said}");
    assert!(said.contains("\nReceived = 1\nPosted = 1\nWaiting = None\n"), "{said}");
    let said = stack.until_status(unknown, |said| said.contains("Refused")).await;
    assert!(said.contains("Use `!sentry channel authorize` with this channel."), "{said}");

    stack.sandbox.add_fault(Fault::new(Effect::MissingAccess).on_channel(channel));
    stack.accepted(channel, &webhook("two")).await;
    let said = stack.until_status(channel, |said| said.contains("Dead Letter: ")).await;
    assert!(said.contains("Blocked by Discord = Blocked for "), "{said}");
    assert!(
        said.contains("Discord does not let the bot post in this channel. Give the bot View Channel"),
        "{said}"
    );
    assert!(said.contains("\nReceived = 2\nPosted = 1\nWaiting = None\nDead Letters = 1\n"), "{said}");
    stack.sandbox.clear_faults();
    // Whether it is posted depends on what comes first, the sample or the bot's
    // check.
    let reply = stack.command_in(channel, stack.owner, "!sentry test").await;
    assert!(reply.content().starts_with("Sent a sample alert"), "{}", reply.content());

    // Counts are of the channel, not of a process, and a replay counts no alert twice.
    stack.discord.kill();
    wait_for("the other pod has the gateway", LONG, || async {
        (second.metric("sentry_bot_gateway_shards_up").await == 1.0).then_some(())
    })
    .await;
    // A command that was typed just before a crash may be heard again: it sends
    // no second sample. Some may have come back by themselves, because the
    // other pod checks whether it may post again.
    let reply = stack.command_in(channel, stack.owner, "!sentry replay").await;
    let replayed = ["Replaying ", "There is nothing to replay"];
    assert!(replayed.iter().any(|text| reply.content().starts_with(text)), "{}", reply.content());
    stack.until_shown(channel, 3, LONG).await;
    let said = stack.until_status(channel, |said| said.contains("Waiting = None\nDead Letters = None")).await;
    let shown = stack.alerts(channel);
    assert!(said.contains(&format!("\nReceived = {shown}\nPosted = {shown}\n")), "{shown}: {said}");
    stack.assert_clean();
}
