//! What the admins of a channel can read of refused requests: the notes in NATS.

use async_nats::jetstream;
use futures::TryStreamExt as _;
use harness::wait::{SOON, wait_for};
use serde_json::Value;
use shared::{verdict::Verdict, wire};

use crate::support::{CHANNEL, MINIMAL, Request, TestApp};

/// The notes about this channel, oldest first, read as any tool of NATS does.
async fn notes(app: &TestApp, channel: u64) -> Vec<Value> {
    let js = jetstream::new(app.nats.client().await);
    let bucket = js.get_key_value(wire::REFUSALS).await.expect("the bucket is there");
    let history = bucket.history(channel.to_string()).await.expect("NATS answers");
    let entries: Vec<_> = history.try_collect().await.expect("NATS answers");
    entries.iter().map(|entry| serde_json::from_slice(&entry.value).expect("JSON")).collect()
}

async fn until_noted(app: &TestApp, channel: u64, count: usize) -> Vec<Value> {
    wait_for("the refusals are noted", SOON, || async {
        let notes = notes(app, channel).await;
        (notes.len() >= count).then_some(notes)
    })
    .await
}

/// An ingress whose verdicts are made by the channel.
async fn app() -> TestApp {
    let app = TestApp::start_with(&["--runtime-mode", "development", "--max-body-bytes", "1000"]).await;
    app.decide(|question| {
        Some(match (question.channel.get(), question.mention) {
            (42, None) => Verdict::Accepted,
            (42, Some(_)) => Verdict::UserOnOtherProject { project: "theirs".to_owned() },
            _ => Verdict::ChannelNotAuthorized,
        })
    })
    .await
}

#[tokio::test]
async fn each_refusal_that_concerns_a_channel_is_noted_with_its_reason_and_nothing_of_what_was_sent() {
    let app = app().await;
    let secret = "hunter2";
    for (target, body, status) in [
        ("/sentry-bot/channel?id=42&x=hunter2", MINIMAL.to_owned(), 400),
        (CHANNEL, r#"{"project":"hunter2"}"#.to_owned(), 400),
        (CHANNEL, secret.to_owned(), 415),
        (CHANNEL, secret.repeat(1_000), 413),
        ("/sentry-bot/channel?id=42&mention=hunter2", MINIMAL.to_owned(), 400),
        ("/sentry-bot/channel?id=43", MINIMAL.to_owned(), 401),
        ("/sentry-bot/channel?id=44&token=hunter2", MINIMAL.to_owned(), 401),
        ("/sentry-bot/channel?id=45&mention=7", MINIMAL.to_owned(), 401),
        // These are noted nowhere.
        (CHANNEL, MINIMAL.to_owned(), 200),
        ("/elsewhere?id=42", MINIMAL.to_owned(), 400),
        ("/sentry-bot/channel?id=0", MINIMAL.to_owned(), 401),
    ] {
        assert_eq!(app.post(target, body).await.status, status, "{target}");
    }
    let mut reasons = Vec::new();
    for (channel, count) in [(42, 5), (43, 1), (44, 1), (45, 1)] {
        for note in until_noted(&app, channel, count).await {
            assert!(!note.to_string().contains(secret), "{note}");
            assert!(!note.to_string().contains("127.0.0.1"), "{note}");
            assert_eq!((&note["v"], &note["times"]), (&1.into(), &1.into()));
            reasons.push((channel, note["reason"].as_str().expect("a reason").to_owned()));
        }
    }
    let expected = [
        (42, "query"),
        (42, "schema"),
        (42, "not_json"),
        (42, "too_large"),
        (42, "mention_not_an_id"),
        (43, "not_authorized"),
        (44, "token"),
        (45, "not_authorized"),
    ];
    assert_eq!(reasons, expected.map(|(channel, reason)| (channel, reason.to_owned())));
    assert_eq!(notes(&app, 0).await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_flood_is_one_note_and_the_last_five_stay() {
    let app = app().await;
    let port = app.port;
    let flood = (0..100).map(|_| async move { Request::post(CHANNEL, "{}").send(port).await });
    for response in futures::future::join_all(flood).await {
        assert_eq!(response.status, 400);
    }
    wait_for("all are noted", SOON, || async {
        let notes = notes(&app, 42).await;
        assert!(notes.len() <= 5, "{notes:?}");
        (notes.iter().filter_map(|note| note["times"].as_u64()).sum::<u64>() == 100).then_some(())
    })
    .await;

    let mention = "/sentry-bot/channel?id=42&mention=";
    for (target, body) in [
        (CHANNEL, "?"),
        (CHANNEL, &"x".repeat(2_000)),
        (&format!("{mention}x"), MINIMAL),
        (&format!("{mention}7"), MINIMAL),
        (&format!("{CHANNEL}&x=1"), MINIMAL),
    ] {
        assert!(app.post(target, body).await.status >= 400, "{target}");
    }
    wait_for("the last five are noted", SOON, || async {
        let notes = notes(&app, 42).await;
        let reasons: Vec<_> = notes.iter().filter_map(|note| note["reason"].as_str()).collect();
        let expected = ["not_json", "too_large", "mention_not_an_id", "user_on_other_project", "query"];
        (reasons == expected).then_some(())
    })
    .await;
}

#[tokio::test]
async fn an_address_that_is_not_let_in_is_noted_and_not_told() {
    let app = TestApp::start_with(&[]).await;
    assert_eq!(app.post(CHANNEL, MINIMAL).await.status, 403);
    let notes = until_noted(&app, 42, 1).await;
    assert_eq!(notes[0]["reason"], "source");
    assert_eq!(notes[0].get("detail"), None);
}
