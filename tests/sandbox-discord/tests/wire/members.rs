//! Time-outs, and a bot that is kicked and invited again.

use std::time::Duration;

use harness::wait::{SOON, wait_for};
use reqwest::Method;
use sandbox_discord::{Guild, Role, User, permissions::ADMINISTRATOR};
use serde_json::{Value, json};

use crate::client::{Answer, World};

const LONG: Duration = Duration::from_secs(60);

async fn post(world: &World) -> (u16, u64) {
    let answer = world.post(json!({ "content": "x" })).await;
    (answer.status, answer.code())
}

async fn edit(world: &World, message: &Answer) -> (u16, u64) {
    let id = message.body["id"].as_str().unwrap();
    let path = format!("/channels/{}/messages/{id}", world.channel);
    let answer = world.send(Method::PATCH, &path, &json!({ "content": "y" })).await;
    (answer.status, answer.code())
}

async fn until(world: &World, user: u64) -> Value {
    let member = world.get(&format!("/guilds/{}/members/{user}", world.guild)).await;
    member.body["communication_disabled_until"].clone()
}

#[tokio::test]
async fn a_bot_that_is_timed_out_sees_and_reads_and_does_nothing_else() {
    let world = World::start().await;
    let (bot, message) = (world.sandbox.bot(), world.post(json!({ "content": "x" })).await);
    assert_eq!(until(&world, bot).await, Value::Null);
    world.sandbox.time_out(world.guild, bot, LONG);
    assert!(until(&world, bot).await.is_string());
    assert_eq!(post(&world).await, (403, 50013));
    assert_eq!(edit(&world, &message).await, (403, 50013));
    let channel = format!("/channels/{}", world.channel);
    assert_eq!(world.send(Method::POST, &format!("{channel}/typing"), &json!({})).await.code(), 50013);
    assert_eq!(world.get(&channel).await.status, 200);
    assert_eq!(world.get(&format!("{channel}/messages")).await.body[0]["content"], "x");
    world.sandbox.lift_time_out(world.guild, bot);
    assert_eq!(until(&world, bot).await, Value::Null);
    assert_eq!((post(&world).await, edit(&world, &message).await), ((200, 0), (200, 0)));
}

#[tokio::test]
async fn a_time_out_that_has_run_out_binds_nobody_and_stays_in_the_member() {
    let world = World::start().await;
    world.sandbox.time_out(world.guild, world.sandbox.bot(), Duration::from_millis(300));
    assert_eq!(post(&world).await, (403, 50013));
    wait_for("the time-out runs out", SOON, || async { (post(&world).await == (200, 0)).then_some(()) })
        .await;
    assert!(until(&world, world.sandbox.bot()).await.is_string());
}

#[tokio::test]
async fn a_time_out_binds_members_but_neither_owner_nor_administrators() {
    let world = World::start().await;
    let (nina, adam) = (world.sandbox.add_user(User::new("nina")), world.sandbox.add_user(User::new("adam")));
    let admin = Role::new("admin", ADMINISTRATOR);
    world.sandbox.set_role(world.guild, admin.clone());
    world.sandbox.set_member(world.guild, nina, &[]);
    world.sandbox.set_member(world.guild, adam, &[admin.id()]);
    for user in [nina, adam, world.olivia] {
        world.sandbox.time_out(world.guild, user, LONG);
    }
    assert!(world.sandbox.say(nina, world.channel, "x").is_err());
    assert!(world.sandbox.slash(nina, world.channel, "sentry h", &[]).is_err());
    assert!(world.sandbox.say(adam, world.channel, "x").is_ok());
    assert!(world.sandbox.say(world.olivia, world.channel, "x").is_ok());
}

#[tokio::test]
async fn a_bot_that_was_kicked_has_no_access_until_it_is_invited_again() {
    let world = World::start().await;
    let (guild, bot) = (format!("/guilds/{}", world.guild), world.sandbox.bot());
    let message = world.post(json!({ "content": "x" })).await;
    let role = world.sandbox.bot_role(world.guild).unwrap().id();
    world.sandbox.remove_member(world.guild, bot);
    assert_eq!((post(&world).await, edit(&world, &message).await), ((403, 50001), (403, 50001)));
    assert_eq!(world.get(&format!("/channels/{}", world.channel)).await.code(), 50001);
    let unknown = world.get(&guild).await;
    assert_eq!((unknown.status, unknown.code()), (404, 10004));
    for below in ["channels", "roles", "threads/active", &format!("members/{bot}")] {
        let refused = world.get(&format!("{guild}/{below}")).await;
        assert_eq!((refused.status, refused.code()), (403, 50001), "{below}");
    }
    assert_eq!(world.get("/users/@me/guilds").await.body, json!([]));
    assert!(world.sandbox.slash(world.olivia, world.channel, "sentry h", &[]).is_err());
    assert!(world.sandbox.bot_role(world.guild).is_none());
    world.sandbox.invite_bot(world.guild);
    assert_eq!((post(&world).await, edit(&world, &message).await), ((200, 0), (200, 0)));
    assert_ne!(world.sandbox.bot_role(world.guild).unwrap().id(), role);
}

#[tokio::test]
async fn a_role_that_is_removed_grants_nothing_any_more() {
    let world = World::start().await;
    let guild = world.sandbox.add_guild(Guild::new("Other", world.olivia));
    let role = world.sandbox.bot_role(guild).unwrap();
    world.sandbox.set_role(guild, role.clone().with_permissions(0));
    let everyone = world.get(&format!("/guilds/{guild}/roles")).await.body[0].clone();
    assert_eq!(everyone["id"], guild.to_string());
    world.sandbox.remove_role(guild, role.id());
    let member = world.get(&format!("/guilds/{guild}/members/{}", world.sandbox.bot())).await;
    assert_eq!(member.body["roles"], json!([]));
}
