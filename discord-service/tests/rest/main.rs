//! The REST sender over real sockets, against a server that does as it is told.

mod answers;
mod limits;
#[path = "../support/mod.rs"]
mod support;

use discord_service::discord::{Discord, DiscordError, Edited};
use secrecy::SecretString;
use serde_json::json;
use shared::{ChannelId, GuildId};
use support::{Reply, Scripted};

const CHANNEL: ChannelId = ChannelId::new(1);

fn discord(server: &Scripted) -> Discord {
    let url = format!("http://{}", server.address).parse().expect("a URL");
    Discord::new(&url, SecretString::from("token")).expect("a client")
}

async fn post(discord: &Discord, channel: u64) -> Result<u64, DiscordError> {
    loop {
        let created = discord.try_create_message(ChannelId::new(channel), &json!({"content": "x"})).await?;
        if let Some(id) = created {
            return Ok(id);
        }
    }
}

fn created() -> Reply {
    Reply::json(200, r#"{"id":"42"}"#)
}

fn limited(retry_after: f64) -> Reply {
    let body = json!({"message": "You are being rate limited.", "retry_after": retry_after, "global": false});
    Reply::json(429, &body.to_string())
}

#[tokio::test]
async fn a_request_carries_the_token_the_user_agent_and_the_version() {
    let server = Scripted::always(created()).await;
    assert_eq!(post(&discord(&server), 7).await.expect("created"), 42);
    let requests = server.requests();
    let request = requests.first().expect("one request");
    assert_eq!(request.line, "POST /api/v10/channels/7/messages HTTP/1.1");
    assert_eq!(request.header("authorization"), Some("Bot token"));
    assert_eq!(request.header("content-type"), Some("application/json"));
    assert_eq!(request.body, r#"{"content":"x"}"#);
    let agent = request.header("user-agent").expect("a user agent");
    assert!(agent.starts_with("DiscordBot (https://") && agent.ends_with(')'), "{agent}");
}

#[tokio::test]
async fn the_guild_of_a_channel_is_asked_for_once() {
    let server = Scripted::always(Reply::json(200, r#"{"id":"1","type":0,"guild_id":"9"}"#)).await;
    let discord = discord(&server);
    for _ in 0..3 {
        assert_eq!(discord.guild_of(CHANNEL).await.expect("a channel"), Some(GuildId::new(9)));
    }
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn editing_and_reading_use_the_documented_paths() {
    let server = Scripted::start(|request| match request.line.starts_with("PATCH ") {
        true => Reply::json(200, r#"{"id":"5"}"#),
        false => Reply::json(200, r#"[{"id":"5"}]"#),
    })
    .await;
    let discord = discord(&server);
    let edited = discord.try_edit_message(CHANNEL, 5, &json!({"content": "y"})).await;
    assert_eq!(edited.expect("edited"), Edited::Done);
    let roles: Vec<serde_json::Value> =
        discord.get("/guilds/1/roles", "/guilds/1/roles").await.expect("roles");
    assert_eq!(roles.len(), 1);
    let lines: Vec<String> = server.requests().into_iter().map(|request| request.line).collect();
    assert_eq!(
        lines,
        ["PATCH /api/v10/channels/1/messages/5 HTTP/1.1", "GET /api/v10/guilds/1/roles HTTP/1.1"]
    );
}
