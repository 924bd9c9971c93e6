//! What ends a shard, or the process.

use discord_service::discord::Discord;
use sandbox_discord::Sandbox;
use secrecy::SecretString;
use shared::{ChannelId, process::BadToken};

use crate::scene::{Scene, config};

#[tokio::test]
async fn a_bad_token_ends_it() {
    let scene = Scene::with(Sandbox::start(config()).await, "wrong").await;
    let error = scene.client.task.await.expect("it does not panic").expect_err("a bad token");
    assert!(error.is::<BadToken>(), "{error:#}");
}

#[tokio::test]
async fn a_token_that_becomes_bad_ends_it() {
    let scene = Scene::start(config()).await;
    scene.client.is_ready().await;
    scene.sandbox.close_gateway(4004);
    let error = scene.client.task.await.expect("it does not panic").expect_err("a bad token");
    assert!(error.is::<BadToken>(), "{error:#}");
}

#[tokio::test]
async fn a_final_code_turns_commands_off_and_leaves_posting_alone() {
    for (code, words) in
        [(4010, "4010"), (4011, "until Discord names more than 1"), (4012, "4012"), (4013, "4013")]
    {
        let scene = Scene::start(config()).await;
        scene.client.is_ready().await;
        scene.sandbox.close_gateway(code);
        scene.client.readiness_says(words).await;
        let (_, checks) = scene.client.readiness.report();
        assert!(checks["gateway"].contains("commands are off"), "{checks:?}");
        let url = scene.sandbox.url().parse().expect("a URL");
        let discord = Discord::new(&url, SecretString::from(scene.sandbox.token())).expect("a client");
        let body = serde_json::json!({"content": "x"});
        discord.try_create_message(ChannelId::new(scene.general), &body).await.expect("posted");
        assert!(!scene.client.task.is_finished(), "it waits to be stopped");
        assert_eq!(scene.sandbox.stats().identifies, 1);
        scene.ends().await;
    }
}
