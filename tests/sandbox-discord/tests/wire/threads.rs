//! Threads: who sees them, and what archiving does to them.

use reqwest::Method;
use sandbox_discord::{
    Channel, ChannelKind, Target,
    permissions::{CONNECT, MANAGE_THREADS, SEND_MESSAGES},
};
use serde_json::{Value, json};

use crate::client::World;

async fn post(world: &World, channel: u64) -> (u16, u64) {
    let answer = world.post_in(channel, json!({ "content": "x" })).await;
    (answer.status, answer.code())
}

#[tokio::test]
async fn a_private_thread_is_seen_by_its_members_and_with_manage_threads() {
    let world = World::start().await;
    let bot = world.sandbox.bot();
    let thread = Channel::private_thread(world.channel, "private").thread_member(world.olivia);
    let thread = world.sandbox.add_channel(world.guild, thread);
    let active = format!("/guilds/{}/threads/active", world.guild);
    assert_eq!(post(&world, thread).await, (403, 50001));
    assert_eq!(world.get(&format!("/channels/{thread}")).await.code(), 50001);
    assert_eq!(world.get(&active).await.body["threads"], json!([]));
    world.sandbox.join_thread(thread, bot);
    assert_eq!(post(&world, thread).await, (200, 0));
    assert_eq!(world.get(&active).await.body["threads"][0]["type"], 12);
    world.sandbox.leave_thread(thread, bot);
    assert_eq!(post(&world, thread).await, (403, 50001));
    world.sandbox.set_overwrite(world.channel, Target::Member(bot), MANAGE_THREADS, 0);
    assert_eq!(post(&world, thread).await, (200, 0));
}

#[tokio::test]
async fn what_stands_in_an_archived_thread_changes_only_after_a_post() {
    let world = World::start().await;
    let thread = world.sandbox.add_channel(world.guild, Channel::thread(world.channel, "thread"));
    let message = world.post_in(thread, json!({ "content": "x" })).await;
    let path = format!("/channels/{thread}/messages/{}", message.body["id"].as_str().unwrap());
    world.sandbox.set_thread(thread, true, false);
    for (method, body) in [(Method::PATCH, json!({ "content": "y" })), (Method::DELETE, Value::Null)] {
        let refused = world.send(method, &path, &body).await;
        assert_eq!((refused.status, refused.code()), (400, 50083));
    }
    assert_eq!(post(&world, thread).await, (200, 0));
    assert_eq!(world.send(Method::PATCH, &path, &json!({ "content": "y" })).await.status, 200);
    world.sandbox.set_thread(thread, true, true);
    assert_eq!(post(&world, thread).await, (403, 160_005));
}

#[tokio::test]
async fn stage_channels_take_messages_of_those_who_may_connect_and_media_channels_take_none() {
    let world = World::start().await;
    for kind in [ChannelKind::Voice, ChannelKind::Stage] {
        let channel = world.sandbox.add_channel(world.guild, Channel::new(kind, "c"));
        assert_eq!(post(&world, channel).await, (200, 0), "{kind:?}");
        let bot = Target::Member(world.sandbox.bot());
        world.sandbox.set_overwrite(channel, bot, SEND_MESSAGES, CONNECT);
        assert_eq!(post(&world, channel).await, (403, 50013), "{kind:?}");
    }
    let media = world.sandbox.add_channel(world.guild, Channel::new(ChannelKind::Media, "c"));
    assert_eq!(post(&world, media).await, (400, 50008));
    assert_eq!(world.get(&format!("/channels/{media}")).await.body["type"], 16);
}
