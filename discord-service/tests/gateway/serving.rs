//! What people type reaches the handler.

use std::time::Duration;

use sandbox_discord::{Effect, Fault, Sandbox, User};

use crate::scene::{Scene, config};

const MESSAGE_CONTENT: u64 = 1 << 15;

#[tokio::test]
async fn what_a_person_types_reaches_the_handler() {
    let scene = Scene::start(config()).await;
    scene.client.is_ready().await;
    let robot = scene.sandbox.add_user(User::bot("robot"));
    let _ = scene.sandbox.say(robot, scene.general, "!sentry from a bot");
    let private = scene.sandbox.private_channel(scene.olivia);
    let _ = scene.sandbox.say(scene.olivia, private, "!sentry in private");
    scene.say("!sentry h");
    scene.client.hears("!sentry h").await;
    let heard = scene.client.heard.all();
    assert_eq!(heard.len(), 1, "bots and private messages are not heard: {heard:?}");
    let typed = &heard[0];
    assert_eq!(
        (typed.guild.get(), typed.channel.get(), typed.author.get(), typed.bot.get()),
        (scene.guild, scene.general, scene.olivia, scene.sandbox.bot())
    );
    scene.ends().await;
}

#[tokio::test]
async fn the_bot_plays_the_help_command() {
    let scene = Scene::start(config()).await;
    scene.client.is_ready().await;
    let presence = scene.sandbox.sessions()[0].presence.clone();
    assert_eq!(presence["activities"][0]["name"], "!sentry h");
    assert_eq!(presence["activities"][0]["type"], 0, "playing");
    scene.ends().await;
}

#[tokio::test]
async fn stopping_ends_the_session_soon() {
    let scene = Scene::start(config()).await;
    scene.client.is_ready().await;
    scene.client.shutdown.cancel();
    // Two seconds by the contract, and some for a busy machine.
    tokio::time::timeout(Duration::from_secs(4), scene.client.task)
        .await
        .expect("it stops in time")
        .expect("it does not panic")
        .expect("it stops as it should");
    assert!(scene.sandbox.sessions().is_empty(), "the session is over, not lost");
}

#[tokio::test]
async fn without_message_content_only_mentions_of_the_bot_are_heard() {
    let scene = Scene::start(config().message_content(false)).await;
    scene.client.is_ready().await;
    let session = scene.sandbox.sessions()[0].clone();
    assert_eq!(session.intents & MESSAGE_CONTENT, 0);
    let mention = format!("<@{}> h", scene.sandbox.bot());
    scene.say("!sentry h");
    scene.say(&mention);
    scene.client.hears(&mention).await;
    assert_eq!(scene.client.heard.contents(), [mention]);
    scene.ends().await;
}

#[tokio::test]
async fn it_connects_once_the_gateway_can_be_looked_up() {
    let sandbox = Sandbox::start(config()).await;
    sandbox.add_fault(Fault::new(Effect::Status(503)).everywhere().times(1));
    let token = sandbox.token();
    let scene = Scene::with(sandbox, &token).await;
    scene.client.readiness_says("connecting").await;
    scene.client.is_ready().await;
    scene.ends().await;
}

#[tokio::test]
async fn all_shards_come_up_within_the_identify_limits() {
    let scene = Scene::start(config().shards(4).max_concurrency(2)).await;
    scene.client.is_ready().await;
    assert_eq!(scene.sandbox.stats().identifies, 4);
    scene.say("!sentry h");
    scene.client.hears("!sentry h").await;
    scene.ends().await;
}
