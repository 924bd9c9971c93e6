//! The gateway's events about members, roles, channels and threads.

use std::time::Duration;

use sandbox_discord::{
    Channel, Role, Target, User,
    permissions::{SEND_MESSAGES, VIEW_CHANNEL},
};
use serde_json::{Value, json};

use super::{GUILD_MESSAGES, GUILDS, Gateway};
use crate::client::World;

async fn session(world: &World) -> Gateway {
    Gateway::session(world, GUILDS, [0, 1]).await.0
}

async fn told(gateway: &mut Gateway, event: &str) -> Value {
    gateway.event(event).await["d"].clone()
}

#[tokio::test]
async fn the_bot_is_told_of_its_own_time_out_and_of_nobody_elses() {
    let world = World::start().await;
    let (bot, guild) = (world.sandbox.bot(), world.guild);
    // A bot gets events about itself without any intent.
    let mut gateway = Gateway::open(&world).await;
    gateway.identify(json!({ "intents": 0 })).await;
    gateway.event("READY").await;
    world.sandbox.time_out(guild, world.olivia, Duration::from_secs(60));
    world.sandbox.time_out(guild, bot, Duration::from_secs(60));
    let update = told(&mut gateway, "GUILD_MEMBER_UPDATE").await;
    assert_eq!(
        (&update["user"]["id"], &update["guild_id"]),
        (&json!(bot.to_string()), &json!(guild.to_string()))
    );
    assert!(update["communication_disabled_until"].is_string());
    world.sandbox.lift_time_out(guild, bot);
    let update = told(&mut gateway, "GUILD_MEMBER_UPDATE").await;
    assert_eq!(update["communication_disabled_until"], Value::Null);
    world.sandbox.set_member(guild, bot, &[]);
    assert_eq!(told(&mut gateway, "GUILD_MEMBER_UPDATE").await["roles"], json!([]));
}

#[tokio::test]
async fn a_kick_and_an_invitation_are_told() {
    let world = World::start().await;
    let mut gateway = session(&world).await;
    world.sandbox.remove_member(world.guild, world.sandbox.bot());
    // Without `unavailable`, because it is not an outage.
    assert_eq!(told(&mut gateway, "GUILD_DELETE").await, json!({ "id": world.guild.to_string() }));
    world.sandbox.set_overwrite(world.channel, Target::Role(world.guild), 0, 0);
    world.sandbox.invite_bot(world.guild);
    let guild = told(&mut gateway, "GUILD_CREATE").await;
    assert_eq!(guild["id"], world.guild.to_string());
    assert_eq!(guild["members"][0]["user"]["id"], world.sandbox.bot().to_string());
}

#[tokio::test]
async fn roles_are_told_when_they_come_change_and_go() {
    let world = World::start().await;
    let mut gateway = session(&world).await;
    let role = Role::new("readers", VIEW_CHANNEL);
    world.sandbox.set_role(world.guild, role.clone());
    let created = told(&mut gateway, "GUILD_ROLE_CREATE").await;
    assert_eq!(created["guild_id"], world.guild.to_string());
    assert_eq!(created["role"]["permissions"], VIEW_CHANNEL.to_string());
    world.sandbox.set_role(world.guild, role.clone().with_permissions(SEND_MESSAGES));
    let updated = told(&mut gateway, "GUILD_ROLE_UPDATE").await;
    assert_eq!(updated["role"]["permissions"], SEND_MESSAGES.to_string());
    world.sandbox.remove_role(world.guild, role.id());
    let deleted = told(&mut gateway, "GUILD_ROLE_DELETE").await;
    let expected = json!({ "guild_id": world.guild.to_string(), "role_id": role.id().to_string() });
    assert_eq!(deleted, expected);
}

#[tokio::test]
async fn a_channel_that_the_bot_sees_again_brings_its_threads() {
    let world = World::start().await;
    let thread = world.sandbox.add_channel(world.guild, Channel::thread(world.channel, "thread"));
    let mut gateway = session(&world).await;
    let bot = Target::Member(world.sandbox.bot());
    world.sandbox.set_overwrite(world.channel, bot, 0, VIEW_CHANNEL);
    let update = told(&mut gateway, "CHANNEL_UPDATE").await;
    assert_eq!(update["permission_overwrites"][0]["deny"], VIEW_CHANNEL.to_string());
    world.sandbox.set_thread(thread, true, false);
    world.sandbox.set_thread(thread, false, false);
    world.sandbox.set_overwrite(world.channel, bot, 0, 0);
    told(&mut gateway, "CHANNEL_UPDATE").await;
    let sync = told(&mut gateway, "THREAD_LIST_SYNC").await;
    assert_eq!(sync["guild_id"], world.guild.to_string());
    assert_eq!(sync["channel_ids"], json!([world.channel.to_string()]));
    assert_eq!(sync["threads"][0]["id"], thread.to_string());
}

#[tokio::test]
async fn threads_are_told_when_they_come_change_and_go() {
    let world = World::start().await;
    let mut gateway = session(&world).await;
    let thread = world.sandbox.add_channel(world.guild, Channel::thread(world.channel, "thread"));
    assert_eq!(told(&mut gateway, "THREAD_CREATE").await["parent_id"], world.channel.to_string());
    world.sandbox.set_thread(thread, true, false);
    let update = told(&mut gateway, "THREAD_UPDATE").await;
    assert_eq!(update["thread_metadata"]["archived"], true);
    world.post_in(thread, json!({ "content": "x" })).await;
    let update = told(&mut gateway, "THREAD_UPDATE").await;
    assert_eq!(update["thread_metadata"]["archived"], false);
    // A user who writes in a thread joins it.
    let members = told(&mut gateway, "THREAD_MEMBERS_UPDATE").await;
    assert_eq!(members["added_members"][0]["user_id"], world.sandbox.bot().to_string());
    world.sandbox.remove_channel(thread);
    let gone = told(&mut gateway, "THREAD_DELETE").await;
    let expected = json!({ "id": thread.to_string(), "guild_id": world.guild.to_string(),
        "parent_id": world.channel.to_string(), "type": 11 });
    assert_eq!(gone, expected);
}

#[tokio::test]
async fn a_private_thread_is_told_only_once_the_bot_is_in_it() {
    let world = World::start().await;
    let (bot, nina) = (world.sandbox.bot(), world.sandbox.add_user(User::new("nina")));
    let mut gateway = session(&world).await;
    let thread = Channel::private_thread(world.channel, "private").thread_member(world.olivia);
    let thread = world.sandbox.add_channel(world.guild, thread);
    world.sandbox.set_thread(thread, true, false);
    world.sandbox.join_thread(thread, nina);
    world.sandbox.join_thread(thread, bot);
    let created = told(&mut gateway, "THREAD_CREATE").await;
    assert_eq!(created["member"]["user_id"], bot.to_string());
    let added = told(&mut gateway, "THREAD_MEMBERS_UPDATE").await;
    assert_eq!(added["id"], thread.to_string());
    world.sandbox.leave_thread(thread, nina);
    world.sandbox.leave_thread(thread, bot);
    let removed = told(&mut gateway, "THREAD_MEMBERS_UPDATE").await;
    assert_eq!(removed["removed_member_ids"], json!([bot.to_string()]));
}

#[tokio::test]
async fn without_the_guilds_intent_none_of_it_is_told() {
    let world = World::start().await;
    let mut gateway = Gateway::open(&world).await;
    gateway.identify(json!({ "intents": GUILD_MESSAGES })).await;
    gateway.event("READY").await;
    world.sandbox.set_overwrite(world.channel, Target::Role(world.guild), 0, SEND_MESSAGES);
    world.sandbox.set_role(world.guild, Role::new("readers", VIEW_CHANNEL));
    world.sandbox.add_channel(world.guild, Channel::thread(world.channel, "thread"));
    world.sandbox.remove_member(world.guild, world.sandbox.bot());
    world.sandbox.invite_bot(world.guild);
    world.sandbox.say(world.olivia, world.channel, "x").unwrap();
    gateway.event("MESSAGE_CREATE").await;
}
