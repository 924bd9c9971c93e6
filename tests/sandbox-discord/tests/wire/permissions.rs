//! What the bot may do where.

use sandbox_discord::{
    Channel, ChannelKind, Guild, Role, Target,
    permissions::{
        ADMINISTRATOR, CONNECT, EMBED_LINKS, READ_MESSAGE_HISTORY, SEND_MESSAGES, SEND_MESSAGES_IN_THREADS,
        VIEW_CHANNEL,
    },
};
use serde_json::json;

use crate::client::World;

async fn post(world: &World, channel: u64) -> (u16, u64) {
    let answer = world.post_in(channel, json!({ "content": "x" })).await;
    (answer.status, answer.code())
}

fn everyone(world: &World) -> Target {
    Target::Role(world.guild)
}

#[tokio::test]
async fn without_view_channel_the_channel_cannot_be_had() {
    let world = World::start().await;
    let hidden = Channel::text("hidden").deny(everyone(&world), VIEW_CHANNEL);
    let hidden = world.sandbox.add_channel(world.guild, hidden);
    assert_eq!(post(&world, hidden).await, (403, 50001));
    let answer = world.get(&format!("/channels/{hidden}")).await;
    assert_eq!((answer.status, answer.code()), (403, 50001));
}

#[tokio::test]
async fn without_send_messages_nothing_is_posted() {
    let world = World::start().await;
    world.sandbox.set_overwrite(world.channel, everyone(&world), 0, SEND_MESSAGES);
    assert_eq!(post(&world, world.channel).await, (403, 50013));
    // The overwrite of a member outweighs that of a role.
    world.sandbox.set_overwrite(world.channel, Target::Member(world.sandbox.bot()), SEND_MESSAGES, 0);
    assert_eq!(post(&world, world.channel).await, (200, 0));
}

#[tokio::test]
async fn without_embed_links_embeds_are_dropped_in_silence() {
    let world = World::start().await;
    world.sandbox.set_overwrite(world.channel, everyone(&world), 0, EMBED_LINKS);
    let both = world.post(json!({ "content": "x", "embeds": [{ "title": "t" }] })).await;
    assert_eq!((both.status, &both.body["embeds"]), (200, &json!([])));
    let alone = world.post(json!({ "embeds": [{ "title": "t" }] })).await;
    assert_eq!((alone.status, alone.code()), (400, 50006));
}

#[tokio::test]
async fn threads_have_a_permission_of_their_own_and_the_overwrites_of_their_channel() {
    let world = World::start().await;
    let thread = world.sandbox.add_channel(world.guild, Channel::thread(world.channel, "thread"));
    world.sandbox.set_overwrite(world.channel, everyone(&world), 0, SEND_MESSAGES);
    assert_eq!(post(&world, thread).await, (200, 0));
    world.sandbox.set_overwrite(world.channel, everyone(&world), 0, SEND_MESSAGES_IN_THREADS);
    assert_eq!(post(&world, thread).await, (403, 50013));
}

#[tokio::test]
async fn a_locked_thread_takes_nothing_and_an_archived_one_wakes_up() {
    let world = World::start().await;
    let locked = Channel::thread(world.channel, "locked").locked();
    let locked = world.sandbox.add_channel(world.guild, locked);
    assert_eq!(post(&world, locked).await, (403, 160_005));
    let archived = Channel::thread(world.channel, "archived").archived();
    let archived = world.sandbox.add_channel(world.guild, archived);
    assert_eq!(post(&world, archived).await, (200, 0));
    let shown = world.get(&format!("/channels/{archived}")).await;
    assert_eq!(shown.body["thread_metadata"]["archived"], false);
}

#[tokio::test]
async fn only_channels_of_some_kinds_take_messages() {
    let world = World::start().await;
    for (kind, outcome) in [
        (ChannelKind::Announcement, (200, 0)),
        (ChannelKind::Voice, (200, 0)),
        (ChannelKind::Forum, (400, 50008)),
        (ChannelKind::Category, (400, 50008)),
    ] {
        let channel = world.sandbox.add_channel(world.guild, Channel::new(kind, "c"));
        assert_eq!(post(&world, channel).await, outcome, "{kind:?}");
    }
}

#[tokio::test]
async fn a_bot_that_was_thrown_out_has_no_access() {
    let world = World::start().await;
    world.sandbox.remove_member(world.guild, world.sandbox.bot());
    assert_eq!(post(&world, world.channel).await, (403, 50001));
    let guild = format!("/guilds/{}", world.guild);
    assert_eq!(world.get(&guild).await.code(), 10004);
    assert_eq!(world.get(&format!("{guild}/channels")).await.code(), 50001);
}

#[tokio::test]
async fn a_voice_channel_also_needs_connect() {
    let world = World::start().await;
    let voice = Channel::new(ChannelKind::Voice, "voice").deny(everyone(&world), CONNECT);
    let voice = world.sandbox.add_channel(world.guild, voice);
    world.sandbox.set_member(world.guild, world.sandbox.bot(), &[]);
    assert_eq!(post(&world, voice).await, (403, 50013));
}

#[tokio::test]
async fn without_the_history_nothing_is_listed() {
    let world = World::start().await;
    world.post(json!({ "content": "x" })).await;
    world.sandbox.set_overwrite(world.channel, everyone(&world), 0, READ_MESSAGE_HISTORY);
    let listed = world.get(&format!("/channels/{}/messages", world.channel)).await;
    assert_eq!((listed.status, listed.body), (200, json!([])));
}

#[tokio::test]
async fn an_administrator_is_above_every_overwrite() {
    let world = World::start().await;
    let admin = Role::new("admin", ADMINISTRATOR);
    let guild = Guild::new("Other", world.olivia);
    let role = world
        .sandbox
        .add_guild(guild.clone().role(admin.clone().with_id(77)).member(world.sandbox.bot(), &[77]));
    let channel = Channel::text("hidden").deny(Target::Role(role), VIEW_CHANNEL);
    let channel = world.sandbox.add_channel(role, channel);
    assert_eq!(post(&world, channel).await, (200, 0));
}
