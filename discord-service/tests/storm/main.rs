//! Storms of posts against the sandbox's rate limits: a 429 is an exception.

use std::time::{Duration, Instant};

use discord_service::discord::Discord;
use futures::future::join_all;
use sandbox_discord::{Channel, Config, Guild, Limit, Sandbox, User};
use secrecy::SecretString;
use serde_json::json;
use shared::ChannelId;

async fn start(config: Config, channels: usize) -> (Sandbox, Discord, Vec<u64>) {
    let sandbox = Sandbox::start(config).await;
    let olivia = sandbox.add_user(User::new("olivia"));
    let guild = sandbox.add_guild(Guild::new("Sandbox", olivia));
    let channels =
        (0..channels).map(|n| sandbox.add_channel(guild, Channel::text(format!("channel-{n}")))).collect();
    let url = sandbox.url().parse().expect("a URL");
    let discord = Discord::new(&url, SecretString::from(sandbox.token())).expect("a client");
    (sandbox, discord, channels)
}

async fn posts(discord: &Discord, channels: impl IntoIterator<Item = u64>) {
    let body = json!({"content": "x"});
    let posts =
        channels.into_iter().map(|channel| discord.try_create_message(ChannelId::new(channel), &body));
    for result in join_all(posts).await {
        result.expect("posted").expect("no 429");
    }
}

#[tokio::test]
async fn fifty_at_once_into_one_channel_meet_no_429() {
    let config =
        Config::default().clocks(|clocks| clocks.channel = Limit::new(5, Duration::from_millis(400)));
    let (sandbox, discord, channels) = start(config, 1).await;
    posts(&discord, channels.iter().copied().cycle().take(50)).await;
    assert_eq!(sandbox.stats().rate_limited, 0);
    assert_eq!(sandbox.messages(channels[0]).len(), 50);
}

#[tokio::test]
async fn a_hundred_and_fifty_channels_at_once_meet_no_429() {
    // A busy machine delays some posts, which then arrive in a bunch. This limit has
    // room for a bunch, and refuses a client that does not space its posts.
    let config = Config::default().clocks(|clocks| clocks.global = Limit::new(75, Duration::from_secs(1)));
    let (sandbox, discord, channels) = start(config, 150).await;
    let start = Instant::now();
    posts(&discord, channels).await;
    assert_eq!(sandbox.stats().rate_limited, 0);
    // Discord's own limit is 50 a second.
    assert!(start.elapsed() >= Duration::from_secs(149) / 50, "{:?}", start.elapsed());
}
