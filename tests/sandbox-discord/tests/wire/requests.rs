//! The gates before any endpoint.

use reqwest::Method;
use serde_json::json;

use crate::client::{World, http, read};

#[tokio::test]
async fn a_wrong_token_is_refused_with_401() {
    let world = World::start().await;
    let url = format!("{}/api/v10/users/@me", world.sandbox.url());
    for header in ["Bot wrong", "sandbox-token", "Bearer sandbox-token", ""] {
        let response = http().get(&url).header("authorization", header).send().await.unwrap();
        let answer = read(response).await;
        assert_eq!((answer.status, answer.code()), (401, 0));
        assert_eq!(answer.body["message"], "401: Unauthorized");
    }
}

#[tokio::test]
async fn a_token_that_was_replaced_is_refused() {
    let world = World::start().await;
    let request = world.request(Method::GET, "/users/@me");
    world.sandbox.set_token("another");
    assert_eq!(request.send().await.unwrap().status(), 401);
    assert_eq!(world.get("/users/@me").await.status, 200);
}

#[tokio::test]
async fn a_user_agent_that_discord_does_not_want_is_refused() {
    let world = World::start().await;
    let url = format!("{}/api/v10/users/@me", world.sandbox.url());
    for agent in ["curl/8", "DiscordBot", "DiscordBot (x)", "DiscordBot (https://a.b)"] {
        let request = http().get(&url).header("user-agent", agent);
        let request = request.header("authorization", "Bot sandbox-token");
        assert_eq!(request.send().await.unwrap().status(), 403, "{agent}");
    }
    assert_eq!(world.get("/users/@me").await.status, 200);
}

#[tokio::test]
async fn a_body_that_is_no_json_is_refused() {
    let world = World::start().await;
    let path = format!("/channels/{}/messages", world.channel);
    let request = world.request(Method::POST, &path).header("content-type", "application/json").body("{");
    let answer = read(request.send().await.unwrap()).await;
    assert_eq!((answer.status, answer.code()), (400, 50109));
}

#[tokio::test]
async fn what_the_sandbox_does_not_know_is_404_and_reported() {
    let world = World::start().await;
    assert!(world.sandbox.unknown_requests().is_empty());
    let answer = world.send(Method::POST, "/channels/1/webhooks", &json!({})).await;
    assert_eq!((answer.status, answer.code()), (404, 0));
    assert_eq!(world.sandbox.unknown_requests(), ["POST /api/v10/channels/1/webhooks"]);
}

#[tokio::test]
async fn an_id_that_is_none_is_a_form_error() {
    let world = World::start().await;
    for path in ["/channels/abc", "/channels/99999999999999999999", "/channels/0"] {
        let answer = world.get(path).await;
        assert_eq!((answer.status, answer.error_at("/channel_id")), (400, "NUMBER_TYPE_COERCE"));
    }
}

#[tokio::test]
async fn what_does_not_exist_has_its_own_code() {
    let world = World::start().await;
    let guild = world.guild;
    for (path, code) in [
        ("/channels/5".to_owned(), 10003),
        (format!("/channels/{}/messages/5", world.channel), 10008),
        ("/guilds/5".to_owned(), 10004),
        (format!("/guilds/{guild}/members/5"), 10013),
        ("/users/5".to_owned(), 10013),
    ] {
        let answer = world.get(&path).await;
        assert_eq!((answer.status, answer.code()), (404, code), "{path}");
    }
    let stranger = world.sandbox.add_user(sandbox_discord::User::new("stranger"));
    let answer = world.get(&format!("/guilds/{guild}/members/{stranger}")).await;
    assert_eq!((answer.status, answer.code()), (404, 10007));
    world.sandbox.remove_channel(world.channel);
    assert_eq!(world.post(json!({ "content": "x" })).await.code(), 10003);
}

#[tokio::test]
async fn guilds_channels_roles_members_and_users_are_told() {
    let world = World::start().await;
    let guild = world.guild;
    let channel = world.get(&format!("/channels/{}", world.channel)).await;
    assert_eq!(channel.body["guild_id"], guild.to_string());
    assert_eq!(world.get(&format!("/guilds/{guild}")).await.body["owner_id"], world.olivia.to_string());
    let roles = world.get(&format!("/guilds/{guild}/roles")).await;
    assert_eq!(roles.body[0]["name"], "@everyone");
    assert_eq!(roles.body[0]["id"], guild.to_string());
    let channels = world.get(&format!("/guilds/{guild}/channels")).await;
    assert_eq!(channels.body.as_array().unwrap().len(), 1);
    let member = world.get(&format!("/guilds/{guild}/members/{}", world.olivia)).await;
    assert_eq!(member.body["user"]["username"], "olivia");
    assert_eq!(world.get("/users/@me").await.body["bot"], true);
    assert_eq!(world.get("/applications/@me").await.body["id"], world.sandbox.bot().to_string());
    assert_eq!(world.get("/gateway/bot").await.body["session_start_limit"]["max_concurrency"], 1);
    assert!(world.sandbox.unknown_requests().is_empty());
}
