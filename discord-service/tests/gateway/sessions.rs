//! A session goes on over another connection, or a new one begins.

use sandbox_discord::{Channel, Guild, Sandbox, User};

use crate::scene::{Scene, config};

#[tokio::test]
async fn a_cut_connection_is_resumed_and_nothing_is_missed() {
    let scene = Scene::start(config()).await;
    scene.client.is_ready().await;
    for round in ["first", "second"] {
        scene.sandbox.cut_gateway();
        scene.say(round);
        scene.client.hears(round).await;
    }
    assert_eq!(scene.sandbox.stats().identifies, 1);
    assert_eq!(scene.client.heard.contents(), ["first", "second"]);
    scene.ends().await;
}

#[tokio::test]
async fn an_order_to_reconnect_is_obeyed_with_a_resume() {
    let scene = Scene::start(config()).await;
    scene.client.is_ready().await;
    scene.sandbox.reconnect_gateway();
    scene.wait_until("resumed", |sandbox| sandbox.stats().resumes > 0).await;
    scene.say("after");
    scene.client.hears("after").await;
    assert_eq!(scene.sandbox.stats().identifies, 1);
    scene.ends().await;
}

#[tokio::test]
async fn an_invalid_session_is_begun_anew() {
    let scene = Scene::start(config()).await;
    scene.client.is_ready().await;
    scene.sandbox.invalidate_sessions(false);
    scene.wait_until("identified again", |sandbox| sandbox.stats().identifies == 2).await;
    scene.client.is_ready().await;
    scene.say("after");
    scene.client.hears("after").await;
    scene.ends().await;
}

#[tokio::test]
async fn an_invalid_session_that_may_go_on_is_resumed() {
    let scene = Scene::start(config()).await;
    scene.client.is_ready().await;
    scene.sandbox.invalidate_sessions(true);
    scene.wait_until("resumed", |sandbox| sandbox.stats().resumes > 0).await;
    assert_eq!(scene.sandbox.stats().identifies, 1);
    scene.ends().await;
}

#[tokio::test]
async fn unanswered_heartbeats_lead_to_another_connection() {
    let scene = Scene::start(config()).await;
    scene.client.is_ready().await;
    scene.sandbox.acknowledge_heartbeats(false);
    scene.wait_until("resumed", |sandbox| sandbox.stats().resumes > 0).await;
    scene.sandbox.acknowledge_heartbeats(true);
    scene.say("after");
    scene.client.hears("after").await;
    scene.client.is_ready().await;
    assert_eq!(scene.sandbox.stats().identifies, 1);
    scene.ends().await;
}

#[tokio::test]
async fn a_timed_out_session_is_begun_anew() {
    let scene = Scene::start(config()).await;
    scene.client.is_ready().await;
    scene.sandbox.close_gateway(4009);
    scene.wait_until("identified again", |sandbox| sandbox.stats().identifies == 2).await;
    scene.say("after");
    scene.client.hears("after").await;
    scene.ends().await;
}

#[tokio::test]
async fn a_gateway_that_was_away_is_found_again() {
    let config = config().addr(([127, 0, 0, 1], harness::free_port()).into());
    let mut scene = Scene::start(config.clone()).await;
    scene.client.is_ready().await;
    drop(std::mem::replace(&mut scene.sandbox, Sandbox::start(self::config()).await));
    scene.client.readiness_says("reconnecting").await;
    scene.sandbox = Sandbox::start(config).await;
    scene.wait_until("identified again", |sandbox| sandbox.stats().identifies == 1).await;
    scene.client.is_ready().await;
    scene.olivia = scene.sandbox.add_user(User::new("olivia"));
    scene.guild = scene.sandbox.add_guild(Guild::new("Sandbox", scene.olivia));
    scene.general = scene.sandbox.add_channel(scene.guild, Channel::text("general"));
    scene.say("after");
    scene.client.hears("after").await;
    scene.ends().await;
}
