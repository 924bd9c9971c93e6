//! The store is away, Discord is away, or lets the bot do less than it wants.

use std::time::Duration;

use discord_service::gateway::Handler as _;
use harness::wait::{SOON, wait_for};
use sandbox_discord::{Effect, Fault, Target, permissions};
use shared::GuildId;

use crate::stage::Stage;

const STORE: &str = "The store is unavailable. Please try again in a minute.";

#[tokio::test]
async fn while_the_store_is_away_commands_say_so() {
    let mut stage = Stage::set().await;
    stage.authorize(stage.alerts).await;
    stage.nats.kill();
    let alerts = stage.alerts;
    for content in [
        "!sentry h".to_owned(),
        "!sentry channel".to_owned(),
        format!("!sentry authorize <#{alerts}>"),
        format!("!sentry revoke <#{alerts}>"),
        "!sentry project".to_owned(),
        "!sentry project register web".to_owned(),
        "!sentry project revoke".to_owned(),
        "!sentry rule".to_owned(),
    ] {
        assert_eq!(stage.text(stage.owner, alerts, &content).await, STORE, "{content:?}");
    }
    stage.nats.restart().await;
    let stage = &stage;
    wait_for("the store is back", SOON, || async move {
        stage.store.channels(GuildId::new(stage.guild)).await.ok()
    })
    .await;
    let (title, _) = stage.embed(stage.owner, alerts, "!sentry h").await;
    assert_eq!(title, "***SENTRY HELP***");
}

#[tokio::test]
async fn while_discord_does_not_say_who_may_what_nothing_is_done() {
    let stage = Stage::set().await;
    let command = format!("!sentry authorize <#{}>", stage.alerts);
    for endpoint in [
        "GET /guilds/{guild_id}",
        "GET /guilds/{guild_id}/channels",
        "GET /guilds/{guild_id}/members/{user_id}",
    ] {
        stage.sandbox.add_fault(Fault::new(Effect::Status(503)).on_endpoint(endpoint));
        assert_eq!(
            stage.text(stage.owner, stage.office, &command).await,
            "Discord does not answer my questions at the moment. Please try again in a minute."
        );
        assert!(!stage.is_authorized(stage.alerts).await);
        stage.sandbox.clear_faults();
    }
    let reply = format!("<#{}> is now authorized", stage.alerts);
    assert_eq!(stage.text(stage.owner, stage.office, &command).await, reply);
}

#[tokio::test]
async fn a_reply_that_discord_failed_on_is_sent_again_and_shown_once() {
    let stage = Stage::set().await;
    stage.authorize(stage.alerts).await;
    for fault in [Fault::new(Effect::Status(500)), Fault::new(Effect::Cut).after()] {
        stage.sandbox.add_fault(fault.times(1));
        let (title, _) = stage.embed(stage.member, stage.alerts, "!sentry h").await;
        assert_eq!(title, "***SENTRY HELP***");
    }
    assert_eq!(stage.sandbox.stats().nonce_repeats, 1);
}

#[tokio::test]
async fn a_command_that_arrives_twice_is_answered_once() {
    let stage = Stage::set().await;
    stage.authorize(stage.alerts).await;
    let id = stage.sandbox.say(stage.member, stage.alerts, "!sentry h").expect("may write");
    let typed = || stage.commands.typed(stage.typed(id, stage.member, stage.alerts, "!sentry h"));
    tokio::join!(typed(), typed());
    assert_eq!(stage.sandbox.messages(stage.alerts).len(), 2, "the command and one answer");
}

#[tokio::test]
async fn where_the_bot_may_not_reply_it_answers_without_reference() {
    let stage = Stage::set().await;
    let bot = Target::Member(stage.sandbox.bot());
    stage.sandbox.set_overwrite(stage.office, bot, 0, permissions::READ_MESSAGE_HISTORY);
    let answers =
        stage.answers(stage.owner, stage.office, &format!("!sentry authorize {}", stage.alerts)).await;
    assert_eq!(answers.len(), 1);
    assert_eq!(answers[0].content(), format!("<#{}> is now authorized", stage.alerts));
    assert!(answers[0].pings.is_empty());
}

#[tokio::test]
async fn where_the_bot_may_not_embed_it_says_so() {
    let stage = Stage::set().await;
    let bot = Target::Member(stage.sandbox.bot());
    stage.sandbox.set_overwrite(stage.office, bot, 0, permissions::EMBED_LINKS);
    assert_eq!(
        stage.text(stage.owner, stage.office, "!sentry channel").await,
        "I need the permission Embed Links in this channel to answer."
    );
}

#[tokio::test]
async fn where_the_bot_may_not_write_it_gives_up() {
    let stage = Stage::set().await;
    let bot = Target::Member(stage.sandbox.bot());
    stage.sandbox.set_overwrite(stage.office, bot, 0, permissions::SEND_MESSAGES);
    let typing = stage.answers(stage.owner, stage.office, "!sentry channel");
    let answers = tokio::time::timeout(Duration::from_secs(10), typing).await.expect("no endless attempts");
    assert!(answers.is_empty());
}
