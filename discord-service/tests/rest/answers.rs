//! What an answer means, and no answer.
#![expect(clippy::panic, reason = "a test that sees something else fails")]

use std::time::Instant;

use discord_service::discord::{Discord, DiscordError, DiscordRefusal};
use futures::future::join_all;
use secrecy::SecretString;
use serde_json::json;
use shared::{ChannelId, UserId};

use crate::{
    CHANNEL, discord, post,
    support::{Reply, Scripted},
};

#[tokio::test]
async fn a_server_that_hangs_is_unavailable_after_ten_seconds() {
    let server = Scripted::always(Reply::Hang).await;
    let started = Instant::now();
    let error = post(&discord(&server), 1).await.expect_err("no answer");
    assert!(matches!(error, DiscordError::Unavailable { answered_4xx: false, .. }), "{error}");
    assert!((9..15).contains(&started.elapsed().as_secs()), "{:?}", started.elapsed());
}

#[tokio::test]
async fn what_passes_is_unavailable_and_tried_once() {
    for reply in [Reply::json(500, ""), Reply::json(503, "{}"), Reply::Cut, Reply::CutInside] {
        let server = Scripted::always(reply.clone()).await;
        let error = post(&discord(&server), 1).await.expect_err("it failed");
        assert!(matches!(error, DiscordError::Unavailable { answered_4xx: false, .. }), "{reply:?}: {error}");
        assert_eq!(server.requests().len(), 1, "{reply:?}");
    }
}

#[tokio::test]
async fn nobody_listening_is_unavailable() {
    let url = format!("http://127.0.0.1:{}", harness::free_port()).parse().expect("a URL");
    let discord = Discord::new(&url, SecretString::from("token")).expect("a client");
    let error = post(&discord, 1).await.expect_err("nobody there");
    assert!(matches!(error, DiscordError::Unavailable { answered_4xx: false, .. }), "{error}");
}

#[tokio::test]
async fn an_answer_that_never_ends_is_cut_off() {
    let server = Scripted::always(Reply::json(200, &" ".repeat(9_000_000))).await;
    let error = post(&discord(&server), 1).await.expect_err("too long");
    assert!(error.to_string().contains("too long"), "{error}");
}

/// What Discord's edge, a firewall and a proxy answer for a while.
fn passing_refusals() -> Vec<Reply> {
    let text = |status, kind: &str, body: &str| {
        Reply::Answer(status, vec![("content-type", kind.to_owned())], body.to_owned())
    };
    vec![
        Reply::json(403, r#"{"message":"internal network error","code":40333}"#),
        Reply::json(403, r#"{"message":"403: Forbidden","code":0}"#),
        Reply::json(404, r#"{"message":"404: Not Found","code":0}"#),
        Reply::json(400, r#"{"message":"overloaded","code":130000}"#),
        Reply::json(400, "{}"),
        text(403, "text/plain", "error code: 1020"),
        text(403, "text/html; charset=UTF-8", "<html>Sorry, you have been blocked</html>"),
        text(404, "text/plain", "404 page not found"),
        text(401, "text/html", "<html>Sign in</html>"),
        text(403, "text/html", r#"{"message":"Missing Access","code":50001}"#),
    ]
}

#[tokio::test]
async fn what_stands_in_front_of_discord_says_nothing_about_a_channel() {
    for reply in passing_refusals() {
        let server = Scripted::always(reply.clone()).await;
        let discord = discord(&server);
        let passing = |error| matches!(error, DiscordError::Unavailable { answered_4xx: true, .. });
        assert!(passing(post(&discord, 1).await.expect_err("it failed")), "{reply:?}");
        assert!(passing(discord.guild_of(CHANNEL).await.expect_err("it failed")), "{reply:?}");
        assert_eq!(server.requests().len(), 2, "{reply:?}");
    }
}

#[tokio::test]
async fn a_401_ends_nothing_while_discord_knows_the_token() {
    let unauthorized = Reply::json(401, r#"{"message":"401: Unauthorized","code":0}"#);
    let server = Scripted::start(move |request| match request.line.contains("/users/@me ") {
        true => Reply::json(200, r#"{"id":"1"}"#),
        false => unauthorized.clone(),
    })
    .await;
    let discord = discord(&server);
    let posts = join_all((1..6).map(|channel| post(&discord, channel))).await;
    for error in posts.into_iter().map(|post| post.expect_err("refused")) {
        assert!(matches!(error, DiscordError::Unavailable { answered_4xx: true, .. }), "{error}");
    }
    let lines = server.requests().into_iter().map(|request| request.line);
    assert_eq!(lines.filter(|line| line.contains("/users/@me ")).count(), 1, "one look-up for all");
}

#[tokio::test]
async fn a_look_up_that_fails_does_not_condemn_the_token() {
    for answer in [
        Reply::json(500, ""),
        Reply::Cut,
        Reply::Answer(401, vec![("content-type", "text/html".to_owned())], "<html>".to_owned()),
        Reply::json(403, r#"{"message":"401: Unauthorized","code":40001}"#),
    ] {
        let server = Scripted::start(move |request| match request.line.contains("/users/@me ") {
            true => answer.clone(),
            false => Reply::json(403, r#"{"message":"Unauthorized","code":40001}"#),
        })
        .await;
        let error = post(&discord(&server), 1).await.expect_err("refused");
        assert!(matches!(error, DiscordError::Unavailable { answered_4xx: true, .. }), "{error}");
        assert_eq!(server.requests().len(), 2);
    }
}

#[tokio::test]
async fn a_token_that_discord_refuses_twice_is_bad_but_not_for_an_interaction() {
    let server = Scripted::always(Reply::json(401, r#"{"message":"401: Unauthorized","code":0}"#)).await;
    let discord = discord(&server);
    let answer = discord.answer_interaction(1, "stale", &json!({"type": 5})).await;
    assert_eq!(answer.expect_err("refused").refusal(), Some(DiscordRefusal::InteractionOver));
    assert_eq!(server.requests().len(), 1);
    let posts = join_all((1..6).map(|channel| post(&discord, channel))).await;
    assert!(posts.iter().all(|post| matches!(post, Err(DiscordError::BadToken(_)))), "{posts:?}");
    let lines = server.requests().into_iter().map(|request| request.line);
    assert_eq!(lines.filter(|line| line.contains("/users/@me ")).count(), 1, "one look-up for all");
}

#[tokio::test]
async fn a_refusal_has_its_code_and_reach() {
    let server = Scripted::always(Reply::json(403, r#"{"message":"Missing Access","code":50001}"#)).await;
    let error = post(&discord(&server), 1).await.expect_err("refused");
    assert_eq!(error.refusal(), Some(DiscordRefusal::Channel));
    assert_eq!(error.to_string(), "Discord refused with 403, code 50001: Missing Access");
}

#[tokio::test]
async fn an_edit_is_done_only_where_the_answer_shows_the_message() {
    let page = Reply::Answer(200, vec![("content-type", "text/html".to_owned())], "<html>".to_owned());
    let server = Scripted::always(page).await;
    let edited = discord(&server).try_edit_message(CHANNEL, 5, &json!({"content": "y"})).await;
    assert!(matches!(edited, Err(DiscordError::Unavailable { answered_4xx: false, .. })), "{edited:?}");
}

#[tokio::test]
async fn a_private_channel_has_no_guild_and_an_unknown_one_is_refused() {
    let server = Scripted::start(|request| match request.line.contains("/channels/1 ") {
        true => Reply::json(200, r#"{"id":"1","type":1}"#),
        false => Reply::json(404, r#"{"message":"Unknown Channel","code":10003}"#),
    })
    .await;
    let discord = discord(&server);
    assert_eq!(discord.guild_of(CHANNEL).await.expect("a channel"), None);
    let error = discord.guild_of(ChannelId::new(2)).await.expect_err("unknown");
    assert_eq!(error.refusal(), Some(DiscordRefusal::Channel));
}

#[tokio::test]
async fn a_user_exists_or_not_or_it_cannot_be_told() {
    let server = Scripted::start(|request| match request.line.split(' ').nth(1) {
        Some("/api/v10/users/1") => Reply::json(200, r#"{"id":"1"}"#),
        Some("/api/v10/users/2") => Reply::json(404, r#"{"message":"Unknown User","code":10013}"#),
        Some("/api/v10/users/3") => Reply::json(400, r#"{"message":"Invalid Form Body","code":50035}"#),
        _ => Reply::json(500, ""),
    })
    .await;
    let discord = discord(&server);
    assert!(discord.user_exists(UserId::new(1)).await.expect("told"));
    assert!(!discord.user_exists(UserId::new(2)).await.expect("told"));
    assert!(!discord.user_exists(UserId::new(3)).await.expect("told"));
    assert!(matches!(discord.user_exists(UserId::new(4)).await, Err(DiscordError::Unavailable { .. })));
}

#[tokio::test]
async fn an_answer_that_is_not_as_documented_is_unavailable() {
    let server = Scripted::always(Reply::json(200, r#"{"id":null}"#)).await;
    match post(&discord(&server), 1).await {
        Err(DiscordError::Unavailable { error, .. }) => assert!(error.to_string().contains("documented")),
        other => panic!("{other:?}"),
    }
}
