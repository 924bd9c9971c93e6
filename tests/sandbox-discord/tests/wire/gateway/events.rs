//! Who gets which event.

use std::time::Duration;

use sandbox_discord::{Channel, Config, Guild};
use serde_json::json;

use super::{GUILD_MESSAGES, GUILDS, Gateway, MESSAGE_CONTENT};
use crate::client::{World, unlimited};

#[tokio::test]
async fn two_sessions_of_one_shard_both_get_the_event_and_are_counted() {
    let config = Config::default().clocks(|clocks| clocks.identify_window = Duration::ZERO);
    let world = World::with(config).await;
    let intents = GUILDS | GUILD_MESSAGES;
    let (mut first, _) = Gateway::session(&world, intents, [0, 1]).await;
    let (mut second, _) = Gateway::session(&world, intents, [0, 1]).await;
    world.sandbox.say(world.olivia, world.channel, "x").unwrap();
    first.event("MESSAGE_CREATE").await;
    second.event("MESSAGE_CREATE").await;
    assert_eq!(world.sandbox.stats().sessions_max["0/1"], 2);
}

#[tokio::test]
async fn events_go_to_the_shard_of_their_guild() {
    let config = Config::default().clocks(|clocks| clocks.identify_window = Duration::ZERO);
    let world = World::with(config).await;
    let mut channels = Vec::new();
    for shard in 0..2 {
        let guild = world.sandbox.add_guild(Guild::new("guild", world.olivia).on_shard(shard, 2));
        channels.push(world.sandbox.add_channel(guild, Channel::text("c")));
    }
    let intents = GUILDS | GUILD_MESSAGES | MESSAGE_CONTENT;
    let (mut zero, _) = Gateway::session(&world, intents, [0, 2]).await;
    let (mut one, _) = Gateway::session(&world, intents, [1, 2]).await;
    world.sandbox.say(world.olivia, channels[0], "to zero").unwrap();
    world.sandbox.say(world.olivia, channels[1], "to one").unwrap();
    assert_eq!(zero.event("MESSAGE_CREATE").await["d"]["content"], "to zero");
    assert_eq!(one.event("MESSAGE_CREATE").await["d"]["content"], "to one");
}

#[tokio::test]
async fn content_is_empty_without_the_intent_unless_the_bot_is_mentioned_or_the_message_private() {
    let world = World::with(Config::default().message_content(false).clocks(unlimited)).await;
    let intents = GUILDS | GUILD_MESSAGES | 1 << 12;
    let (mut gateway, _) = Gateway::session(&world, intents, [0, 1]).await;
    let bot = world.sandbox.bot();
    let private = world.sandbox.private_channel(world.olivia);
    for (channel, said, heard) in [
        (world.channel, "!sentry h".to_owned(), String::new()),
        (world.channel, format!("<@{bot}> h"), format!("<@{bot}> h")),
        (private, "hello".to_owned(), "hello".to_owned()),
    ] {
        world.sandbox.say(world.olivia, channel, &said).unwrap();
        assert_eq!(gateway.event("MESSAGE_CREATE").await["d"]["content"], heard);
    }
    world.post(json!({ "content": "own" })).await;
    assert_eq!(gateway.event("MESSAGE_CREATE").await["d"]["content"], "own");
    let listed = world.get(&format!("/channels/{}/messages", world.channel)).await;
    assert_eq!(listed.body[2]["content"], "");
}

#[tokio::test]
async fn intents_choose_the_events() {
    let world = World::start().await;
    let (mut gateway, _) = Gateway::session(&world, GUILDS, [0, 1]).await;
    world.sandbox.say(world.olivia, world.channel, "x").unwrap();
    world.sandbox.add_channel(world.guild, Channel::text("new"));
    gateway.event("CHANNEL_CREATE").await;
}
