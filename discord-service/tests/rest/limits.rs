//! Discord's rate limits are obeyed before they are hit.
#![expect(clippy::panic, reason = "a test that sees something else fails")]

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use discord_service::discord::DiscordError;
use futures::future::join_all;
use serde_json::json;

use crate::{
    CHANNEL, created, discord, limited, post,
    support::{Reply, Request, Scripted},
};

/// Fixed windows per path as Discord keeps them: `limit` requests per `period`.
/// Counts the 429s. The bucket has the same id in all channels.
fn bucket(limit: u32, period: Duration, refused: Arc<AtomicU32>) -> impl FnMut(&Request) -> Reply {
    buckets(limit, period, refused, |_| "abcd".to_owned())
}

/// The same, with the id that the bucket has for this path.
fn buckets(
    limit: u32,
    period: Duration,
    refused: Arc<AtomicU32>,
    id: impl Fn(&str) -> String,
) -> impl FnMut(&Request) -> Reply {
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
            .with("x-ratelimit-bucket", id(&request.line))
    }
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
    discord.share_among(2);
    let started = Instant::now();
    let results = join_all((0..26).map(|channel| post(&discord, channel))).await;
    assert!(results.iter().all(Result::is_ok));
    assert!(started.elapsed() >= Duration::from_secs(1), "{:?}", started.elapsed());
}

#[tokio::test]
async fn answering_an_interaction_waits_for_no_global_rate() {
    let server = Scripted::always(Reply::json(204, "")).await;
    let discord = discord(&server);
    discord.share_among(1_000);
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
    assert!(matches!(error, DiscordError::NotSent), "{error}");
    let other = post(&discord, 2).await.expect_err("other channels wait as well");
    assert!(matches!(other, DiscordError::NotSent), "{other}");
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

/// Discord may give a route's buckets another id in each channel.
#[tokio::test]
async fn buckets_whose_id_differs_from_channel_to_channel_stay_known() {
    let (period, refused) = (Duration::from_millis(400), Arc::<AtomicU32>::default());
    let ids = |line: &str| format!("bucket of {}", line.split('/').nth(4).unwrap_or_default());
    let server = Scripted::start(buckets(5, period, Arc::clone(&refused), ids)).await;
    let discord = discord(&server);
    let started = Instant::now();
    // Interleaved: each answer names another id than the one before.
    let results = join_all((0..100).map(|number| post(&discord, 1 + number % 4))).await;
    assert!(results.iter().all(Result::is_ok));
    assert_eq!(refused.load(Ordering::Relaxed), 0);
    assert_eq!(server.requests().len(), 100);
    assert!(started.elapsed() >= period * 4, "five windows of five in each channel");
}

#[tokio::test]
async fn an_alert_finds_room_beside_a_hundred_replies() {
    let server = Scripted::start(bucket(5, Duration::from_secs(5), Arc::default())).await;
    let discord = discord(&server);
    let body = json!({"content": "a reply"});
    let reply = || discord.create_reply(CHANNEL, &body);
    let replies = join_all((0..100).map(|_| reply()));
    let alerts = async {
        // Commands had their whole share of the window by then.
        let three = || async { (server.requests().len() >= 3).then_some(()) };
        harness::wait::wait_for("three replies", harness::wait::SOON, three).await;
        let started = Instant::now();
        for _ in 0..2 {
            post(&discord, CHANNEL.get()).await.expect("an alert");
        }
        assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
        started
    };
    let (replies, started) = tokio::join!(replies, alerts);
    let given_up = replies.iter().filter(|reply| matches!(reply, Err(DiscordError::NotSent))).count();
    assert!((90..=97).contains(&given_up), "{given_up} of 100 replies");
    assert!(started.elapsed() < Duration::from_secs(7), "the flood ends soon: {:?}", started.elapsed());
}

#[tokio::test]
async fn a_channel_has_two_replies_in_flight_and_gives_them_up() {
    let mut known = false;
    let server = Scripted::start(move |_| match std::mem::replace(&mut known, true) {
        false => created()
            .with("x-ratelimit-limit", 50)
            .with("x-ratelimit-remaining", 49)
            .with("x-ratelimit-reset-after", 60)
            .with("x-ratelimit-bucket", "abcd"),
        true => Reply::Hang,
    })
    .await;
    let discord = discord(&server);
    post(&discord, CHANNEL.get()).await.expect("the first");
    let body = json!({"content": "a reply"});
    let started = Instant::now();
    let replies = join_all((0..10).map(|_| discord.create_reply(CHANNEL, &body))).await;
    assert!(started.elapsed() < Duration::from_secs(7), "{:?}", started.elapsed());
    assert_eq!(server.requests().len(), 1 + 2);
    let sent = replies.iter().filter(|reply| matches!(reply, Err(DiscordError::Unavailable { .. }))).count();
    let not_sent = replies.iter().filter(|reply| matches!(reply, Err(DiscordError::NotSent))).count();
    assert_eq!((sent, not_sent), (2, 8));
}
