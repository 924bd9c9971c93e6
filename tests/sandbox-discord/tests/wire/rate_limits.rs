//! Buckets, the global limit and the ban.

use std::time::{Duration, Instant};

use harness::wait::{SOON, wait_for};
use sandbox_discord::{Channel, Config, Limit};
use serde_json::json;

use crate::client::{World, unlimited};

const CREATE: &str = "POST /channels/{channel_id}/messages";

#[tokio::test]
async fn a_channel_takes_five_posts_in_five_seconds_and_says_so() {
    let world = World::with(Config::default()).await;
    for left in (0..5).rev() {
        let answer = world.post(json!({ "content": "x" })).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("x-ratelimit-limit"), "5");
        assert_eq!(answer.header("x-ratelimit-remaining"), left.to_string());
        let reset_after: f64 = answer.header("x-ratelimit-reset-after").parse().unwrap();
        assert!(reset_after > 0.0 && reset_after <= 5.0);
        assert!(answer.header("x-ratelimit-reset").parse::<f64>().unwrap() > 1e9);
    }
    let refused = world.post(json!({ "content": "x" })).await;
    assert_eq!(refused.status, 429);
    assert_eq!(refused.header("x-ratelimit-scope"), "user");
    assert_eq!(refused.body["global"], false);
    let retry_after = refused.body["retry_after"].as_f64().unwrap();
    assert!(retry_after > 0.0 && retry_after <= 5.0);
    assert!(refused.header("retry-after").parse::<u64>().unwrap() >= 1);
    let stats = world.sandbox.stats();
    assert_eq!((stats.rate_limited, stats.answers(CREATE, Some(429))), (1, 1));
    assert_eq!(stats.answers(CREATE, Some(200)), 5);
}

#[tokio::test]
async fn channels_share_the_bucket_id_but_not_the_bucket() {
    let world = World::with(Config::default()).await;
    let other = world.sandbox.add_channel(world.guild, Channel::text("other"));
    let first = world.post(json!({ "content": "x" })).await;
    let second = world.post_in(other, json!({ "content": "x" })).await;
    assert_eq!(first.header("x-ratelimit-bucket"), second.header("x-ratelimit-bucket"));
    assert_eq!(second.header("x-ratelimit-remaining"), "4");
}

#[tokio::test]
async fn the_bucket_id_can_differ_from_channel_to_channel() {
    let world = World::with(Config::default().bucket_per_channel(true)).await;
    let other = world.sandbox.add_channel(world.guild, Channel::text("other"));
    let first = world.post(json!({ "content": "x" })).await;
    let second = world.post_in(other, json!({ "content": "x" })).await;
    let again = world.post(json!({ "content": "x" })).await;
    assert_ne!(first.header("x-ratelimit-bucket"), second.header("x-ratelimit-bucket"));
    assert_eq!(first.header("x-ratelimit-bucket"), again.header("x-ratelimit-bucket"));
}

#[tokio::test]
async fn a_bucket_is_full_again_after_its_period() {
    let config = Config::default().clocks(unlimited).clocks(|clocks| {
        clocks.channel = Limit::new(1, Duration::from_secs(1));
    });
    let world = World::with(config).await;
    let start = Instant::now();
    assert_eq!(world.post(json!({ "content": "x" })).await.status, 200);
    assert_eq!(world.post(json!({ "content": "x" })).await.status, 429);
    wait_for("the bucket is full again", SOON, || async {
        (world.post(json!({ "content": "x" })).await.status == 200).then_some(())
    })
    .await;
    assert!(start.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn the_global_limit_counts_all_requests_of_the_bot() {
    let config = Config::default().clocks(unlimited).clocks(|clocks| {
        clocks.global = Limit::new(3, Duration::from_secs(60));
    });
    let world = World::with(config).await;
    assert_eq!(world.get("/users/@me").await.status, 200);
    assert_eq!(world.get(&format!("/guilds/{}", world.guild)).await.status, 200);
    assert_eq!(world.post(json!({ "content": "x" })).await.status, 200);
    let refused = world.get("/users/@me").await;
    assert_eq!(refused.status, 429);
    assert_eq!(refused.header("x-ratelimit-global"), "true");
    assert_eq!(refused.header("x-ratelimit-scope"), "global");
    assert_eq!(refused.header("x-ratelimit-bucket"), "");
    assert_eq!(refused.body["global"], true);
}

#[tokio::test]
async fn who_ignores_refusals_is_banned() {
    let config = Config::default().clocks(unlimited).clocks(|clocks| {
        clocks.invalid_requests = Limit::new(3, Duration::from_secs(60));
    });
    let world = World::with(config).await;
    world.sandbox.add_fault(sandbox_discord::Fault::new(sandbox_discord::Effect::MissingAccess));
    for _ in 0..3 {
        assert_eq!(world.post(json!({ "content": "x" })).await.status, 403);
    }
    let banned = world.get("/users/@me").await;
    assert_eq!(banned.status, 429);
    assert!(banned.header("retry-after").parse::<u64>().unwrap() > 3000);
    assert_eq!(banned.body, "error code: 1015");
    assert!(banned.header("content-type").starts_with("text/plain"));
    assert_eq!(world.sandbox.stats().violations.len(), 1);
}
