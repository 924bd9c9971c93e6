//! What `status` says while a channel is closed, and that changes alone open it.

use std::time::Duration;

use harness::wait::{SOON, wait_for};
use sandbox_discord::{
    Target,
    permissions::{EMBED_LINKS, SEND_MESSAGES, VIEW_CHANNEL},
};
use sentry_sender::{Webhook, body::Exception};

use crate::scene::{Scene, closed};

/// Waits until `status` says this about a closed channel.
async fn until_said(scene: &Scene, channel: u64, holds: impl Fn(&str) -> bool) {
    wait_for("the status keeps up", SOON, || async {
        let said = scene.status(channel).await;
        closed(&said).is_some_and(&holds).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_status_names_what_is_missing_now() {
    let scene = Scene::start(1).await;
    let (sandbox, channel) = (&scene.stack.sandbox, scene.channels[0]);
    let bot = Target::Member(sandbox.bot());
    scene.ledger.excuse_order(channel);
    sandbox.set_overwrite(channel, bot, 0, VIEW_CHANNEL | SEND_MESSAGES);
    scene.until_closed("hidden", &[channel]).await;
    let gives = |words: &'static str| move |why: &str| why.contains(&format!("Give the bot {words} there"));
    until_said(&scene, channel, gives("View Channel, Send Messages")).await;
    // Given one by one, and another is taken meanwhile.
    sandbox.set_overwrite(channel, bot, 0, SEND_MESSAGES);
    until_said(&scene, channel, gives("Send Messages")).await;
    sandbox.set_overwrite(channel, bot, 0, EMBED_LINKS);
    until_said(&scene, channel, gives("Embed Links")).await;
    sandbox.time_out(scene.stack.guild, sandbox.bot(), Duration::from_secs(600));
    until_said(&scene, channel, |why| why.contains("timed out in this server until")).await;
    sandbox.lift_time_out(scene.stack.guild, sandbox.bot());
    until_said(&scene, channel, gives("Embed Links")).await;
    sandbox.set_overwrite(channel, bot, 0, 0);
    scene.until_open("given", channel).await;
    scene.settle().await;
    assert!(scene.stack.dead_letters().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_to_which_only_changes_come_opens_as_well() {
    let scene = Scene::start(1).await;
    let (sandbox, channel, guild) = (&scene.stack.sandbox, scene.channels[0], scene.stack.guild);
    let titles = [scene.alert(channel).await, scene.alert(channel).await];
    for title in &titles {
        wait_for("it is shown", SOON, || async { scene.shows(channel, title).then_some(()) }).await;
    }
    sandbox.time_out(guild, sandbox.bot(), Duration::from_secs(600));
    for title in &titles {
        for action in ["resolved", "archived"] {
            let status = scene.ledger.change(&scene.stack, channel, title, action).await;
            assert!(matches!(status, Some(200 | 202)), "{status:?}");
        }
    }
    wait_for("the changes are dead", SOON, || async { (scene.dead(channel).await.len() == 4).then_some(()) })
        .await;
    until_said(&scene, channel, |why| why.contains("timed out") && why.contains("4 dead letters follow"))
        .await;
    sandbox.lift_time_out(guild, sandbox.bot());
    scene.until_open("changes", channel).await;
    scene.settle().await;
    assert!(scene.stack.dead_letters().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_whose_embed_discord_leaves_out_beside_a_mention_is_no_shown_alert() {
    let scene = Scene::start(1).await;
    let (stack, channel, owner) = (&scene.stack, scene.channels[0], scene.stack.owner);
    let bot = Target::Member(stack.sandbox.bot());
    stack.command_in(channel, owner, "!sentry project register backend-api").await;
    stack.sandbox.set_overwrite(channel, bot, 0, EMBED_LINKS);
    let webhook = Webhook::legacy(Exception::new("for somebody").issue("somebody").json());
    stack.accepted_at(&stack.url(channel, &format!("&mention={owner}")), &webhook).await;
    wait_for("it is dead", SOON, || async { (scene.dead(channel).await.len() == 1).then_some(()) }).await;
    assert!(!scene.shows(channel, "for somebody"));
    until_said(&scene, channel, |why| why.contains("Give the bot Embed Links there")).await;
    stack.sandbox.set_overwrite(channel, bot, 0, 0);
    scene.until_open("embeds left out", channel).await;
    wait_for("it is shown", SOON, || async { scene.shows(channel, "for somebody").then_some(()) }).await;
    assert_eq!(stack.alerts(channel), 2);
    stack.assert_clean();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_channel_stays_closed_and_its_dead_letters_are_to_be_seen_elsewhere() {
    let scene = Scene::start(1).await;
    let (stack, owner) = (&scene.stack, scene.stack.owner);
    let deleted = stack.authorized_channel("deleted").await;
    let webhook = |number: usize| {
        Webhook::legacy(Exception::new(format!("deleted {number}")).issue(number.to_string()).json())
    };
    stack.accepted(deleted, &webhook(0)).await;
    stack.until_shown(deleted, 1, SOON).await;
    stack.sandbox.remove_channel(deleted);
    for number in 1..=3 {
        stack.accepted(deleted, &webhook(number)).await;
        wait_for("it is dead", SOON, || async { (scene.dead(deleted).await.len() == number).then_some(()) })
            .await;
    }
    let said = stack.command(owner, &format!("!sentry status {deleted}")).await.json.to_string();
    for words in ["it was deleted", "3 dead letters stay here", "\"Dead Letters\",\"value\":\"3\""] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let listed = stack.command(owner, "!sentry channel").await.json.to_string();
    assert!(listed.contains("it was deleted"), "{listed}");
    // What happens in its server does not make it come back.
    stack.sandbox.set_overwrite(scene.channels[0], Target::Member(owner), 0, 0);
    scene.works(&scene.channels, SOON).await;
    assert_eq!(scene.dead(deleted).await.len(), 3);
    assert_eq!(stack.discord.readyz().await, Some(200));
    stack.until_drained(SOON).await;
    stack.assert_clean();
}
