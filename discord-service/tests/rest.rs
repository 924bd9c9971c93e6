//! The REST sender over real sockets, against a server that does as it is told.
#![expect(clippy::panic, reason = "a test that sees something else fails")]

mod support;

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use discord_service::discord::{Discord, DiscordError, Edited, Refusal};
use futures::future::join_all;
use secrecy::SecretString;
use serde_json::json;
use shared::{ChannelId, GuildId, UserId};
use support::{Reply, Request, Scripted};

const CHANNEL: ChannelId = ChannelId::new(1);

fn discord(server: &Scripted) -> Discord {
    let url = format!("http://{}", server.address).parse().expect("a URL");
    Discord::new(&url, SecretString::from("token")).expect("a client")
}

async fn post(discord: &Discord, channel: u64) -> Result<u64, DiscordError> {
    discord.create_message(ChannelId::new(channel), &json!({"content": "x"})).await
}

fn created() -> Reply {
    Reply::json(200, r#"{"id":"42"}"#)
}

fn limited(retry_after: f64) -> Reply {
    let body = json!({"message": "You are being rate limited.", "retry_after": retry_after, "global": false});
    Reply::json(429, &body.to_string())
}

/// Fixed windows per path as Discord keeps them: `limit` requests per `period`.
/// Counts the 429s.
fn bucket(limit: u32, period: Duration, refused: Arc<AtomicU32>) -> impl FnMut(&Request) -> Reply {
    let mut windows: HashMap<String, (Instant, u32)> = HashMap::new();
    move |request| {
        let now = Instant::now();
        let (began, used) = windows.entry(request.line.clone()).or_insert((now, 0));
        if now.duration_since(*began) >= period {
            (*began, *used) = (now, 0);
        }
        let reset = (period - now.duration_since(*began)).as_secs_f64();
        let reply = if *used == limit {
            refused.fetch_add(1, Ordering::Relaxed);
            limited(reset)
        } else {
            *used += 1;
            created()
        };
        reply
            .with("x-ratelimit-limit", limit)
            .with("x-ratelimit-remaining", limit - *used)
            .with("x-ratelimit-reset-after", format!("{reset:.3}"))
            .with("x-ratelimit-bucket", "abcd")
    }
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
async fn fifty_at_once_into_one_channel_meet_no_429() {
    let period = Duration::from_millis(300);
    let mut quickest = Duration::MAX;
    // A window that a busy machine misses makes it slow, but hardly three times.
    for _ in 0..3 {
        let refused = Arc::new(AtomicU32::new(0));
        let server = Scripted::start(bucket(5, period, Arc::clone(&refused))).await;
        let discord = discord(&server);
        let started = Instant::now();
        let results = join_all((0..50).map(|_| post(&discord, 1))).await;
        assert!(results.iter().all(Result::is_ok));
        assert_eq!(refused.load(Ordering::Relaxed), 0);
        assert_eq!(server.requests().len(), 50);
        assert!(started.elapsed() >= period * 9, "ten windows of five");
        quickest = quickest.min(started.elapsed());
        if quickest < period * 15 {
            return;
        }
    }
    panic!("{quickest:?}: slower than the limits want");
}

#[tokio::test]
async fn a_full_channel_delays_no_other() {
    let server = Scripted::start(bucket(1, Duration::from_secs(30), Arc::default())).await;
    let discord = discord(&server);
    post(&discord, 1).await.expect("the first of the window");
    let waiting = tokio::spawn({
        let discord = discord.clone();
        async move { post(&discord, 1).await }
    });
    let started = Instant::now();
    let others = join_all((2..12).map(|channel| post(&discord, channel))).await;
    assert!(others.iter().all(Result::is_ok));
    assert!(started.elapsed() < Duration::from_secs(5));
    assert!(!waiting.is_finished());
    waiting.abort();
}

#[tokio::test]
async fn the_global_rate_holds_over_many_channels() {
    let server = Scripted::always(created()).await;
    let discord = discord(&server);
    discord.set_global_rate(40.0);
    let started = Instant::now();
    let results = join_all((0..41).map(|channel| post(&discord, channel))).await;
    assert!(results.iter().all(Result::is_ok));
    assert!(started.elapsed() >= Duration::from_secs(1), "{:?}", started.elapsed());
}

#[tokio::test]
async fn answering_an_interaction_waits_for_no_global_rate() {
    let server = Scripted::always(Reply::json(204, "")).await;
    let discord = discord(&server);
    discord.set_global_rate(0.1);
    let started = Instant::now();
    for interaction in 0..5 {
        discord.answer_interaction(interaction, "token", &json!({"type": 5})).await.expect("answered");
    }
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_429_is_waited_out_and_the_request_repeated() {
    let mut answers = vec![created(), limited(0.2).with("x-ratelimit-scope", "user")];
    let server = Scripted::start(move |_| answers.pop().expect("two requests")).await;
    let started = Instant::now();
    assert_eq!(post(&discord(&server), 1).await.expect("the second try"), 42);
    assert!(started.elapsed() >= Duration::from_millis(200));
}

#[tokio::test]
async fn a_429_without_any_header_stops_everything_for_a_while() {
    let mut answers = vec![created(), Reply::Answer(429, vec![], "error code: 1015".to_owned())];
    let server = Scripted::start(move |_| answers.pop().unwrap_or_else(created)).await;
    // Less than the five seconds that such an answer stops everything for.
    let patience = Duration::from_secs(4);
    let discord = discord(&server).with_patience(patience);
    let started = Instant::now();
    let error = post(&discord, 1).await.expect_err("longer than one's patience");
    assert!(matches!(error, DiscordError::Unavailable(_)), "{error}");
    let other = post(&discord, 2).await.expect_err("other channels wait as well");
    assert!(matches!(other, DiscordError::Unavailable(_)), "{other}");
    assert!(started.elapsed() < patience, "it is told as soon as it is certain");
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_global_429_stops_all_channels() {
    let mut first = true;
    let server = Scripted::start(move |_| match std::mem::take(&mut first) {
        true => limited(0.5).with("x-ratelimit-global", "true"),
        false => created(),
    })
    .await;
    let discord = discord(&server);
    let started = Instant::now();
    let (one, other) = tokio::join!(post(&discord, 1), async {
        harness::wait::wait_for("the 429", harness::wait::SOON, || async {
            (!server.requests().is_empty()).then_some(())
        })
        .await;
        post(&discord, 2).await
    });
    assert!(one.is_ok() && other.is_ok());
    assert!(started.elapsed() >= Duration::from_millis(500));
}

#[tokio::test]
async fn without_sensible_headers_requests_still_go() {
    for headers in [
        vec![],
        vec![
            ("x-ratelimit-limit", "many"),
            ("x-ratelimit-remaining", "-3"),
            ("x-ratelimit-reset-after", "NaN"),
        ],
    ] {
        let headers = headers.into_iter().map(|(name, value)| (name, value.to_owned())).collect();
        let server = Scripted::always(Reply::Answer(200, headers, r#"{"id":"42"}"#.to_owned())).await;
        let discord = discord(&server);
        let results = join_all((0..10).map(|_| post(&discord, 1))).await;
        assert!(results.iter().all(Result::is_ok));
        assert_eq!(server.requests().len(), 10);
    }
}

#[tokio::test]
async fn no_burst_goes_before_the_bucket_is_known() {
    let server = Scripted::always(Reply::Hang).await;
    let discord = discord(&server).with_patience(Duration::from_millis(300));
    join_all((0..5).map(|_| tokio::time::timeout(Duration::from_secs(1), post(&discord, 1)))).await;
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_server_that_hangs_is_unavailable_after_ten_seconds() {
    let server = Scripted::always(Reply::Hang).await;
    let started = Instant::now();
    let error = post(&discord(&server), 1).await.expect_err("no answer");
    assert!(matches!(error, DiscordError::Unavailable(_)), "{error}");
    assert!((9..15).contains(&started.elapsed().as_secs()), "{:?}", started.elapsed());
}

#[tokio::test]
async fn what_passes_is_unavailable_and_tried_once() {
    let overloaded = Reply::json(400, r#"{"message":"overloaded","code":130000}"#);
    for reply in [Reply::json(500, ""), Reply::json(503, "{}"), Reply::Cut, Reply::CutInside, overloaded] {
        let server = Scripted::always(reply.clone()).await;
        let error = post(&discord(&server), 1).await.expect_err("it failed");
        assert!(matches!(error, DiscordError::Unavailable(_)), "{reply:?}: {error}");
        assert_eq!(server.requests().len(), 1, "{reply:?}");
    }
}

#[tokio::test]
async fn nobody_listening_is_unavailable() {
    let url = format!("http://127.0.0.1:{}", harness::free_port()).parse().expect("a URL");
    let discord = Discord::new(&url, SecretString::from("token")).expect("a client");
    let error = post(&discord, 1).await.expect_err("nobody there");
    assert!(matches!(error, DiscordError::Unavailable(_)), "{error}");
}

#[tokio::test]
async fn an_answer_that_never_ends_is_cut_off() {
    let server = Scripted::always(Reply::json(200, &" ".repeat(9_000_000))).await;
    let error = post(&discord(&server), 1).await.expect_err("too long");
    assert!(error.to_string().contains("too long"), "{error}");
}

#[tokio::test]
async fn a_401_is_a_bad_token_but_not_for_an_interaction() {
    let server = Scripted::always(Reply::json(401, r#"{"message":"401: Unauthorized","code":0}"#)).await;
    let discord = discord(&server);
    assert!(matches!(post(&discord, 1).await, Err(DiscordError::BadToken(_))));
    let answer = discord.answer_interaction(1, "stale", &json!({"type": 5})).await;
    assert!(matches!(answer, Err(DiscordError::Refused { status: 401, .. })));
}

#[tokio::test]
async fn a_refusal_has_its_code_and_reach() {
    let server = Scripted::always(Reply::json(403, r#"{"message":"Missing Access","code":50001}"#)).await;
    let error = post(&discord(&server), 1).await.expect_err("refused");
    assert_eq!(error.refusal(), Some(Refusal::Channel));
    assert_eq!(error.to_string(), "Discord refused with 403, code 50001: Missing Access");
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
async fn a_private_channel_has_no_guild_and_an_unknown_one_is_refused() {
    let server = Scripted::start(|request| match request.line.contains("/channels/1 ") {
        true => Reply::json(200, r#"{"id":"1","type":1}"#),
        false => Reply::json(404, r#"{"message":"Unknown Channel","code":10003}"#),
    })
    .await;
    let discord = discord(&server);
    assert_eq!(discord.guild_of(CHANNEL).await.expect("a channel"), None);
    let error = discord.guild_of(ChannelId::new(2)).await.expect_err("unknown");
    assert_eq!(error.refusal(), Some(Refusal::Channel));
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
    assert!(matches!(discord.user_exists(UserId::new(4)).await, Err(DiscordError::Unavailable(_))));
}

#[tokio::test]
async fn editing_and_reading_use_the_documented_paths() {
    let server = Scripted::always(Reply::json(200, r#"[{"id":"5"}]"#)).await;
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

#[tokio::test]
async fn an_answer_that_is_not_as_documented_is_unavailable() {
    let server = Scripted::always(Reply::json(200, r#"{"id":null}"#)).await;
    match post(&discord(&server), 1).await {
        Err(DiscordError::Unavailable(error)) => assert!(error.to_string().contains("documented")),
        other => panic!("{other:?}"),
    }
}
