//! What the admins of a channel can read of refused requests: the notes in NATS.

use async_nats::jetstream;
use harness::wait::{SOON, wait_for};
use serde_json::Value;
use shared::{verdict::Verdict, wire};

use crate::support::{
    CHANNEL, MINIMAL, Request, TestApp,
    trust::{mirror, record},
};

/// The notes about this channel, oldest first.
async fn notes(app: &TestApp, channel: u64) -> Vec<Value> {
    let js = jetstream::new(app.nats.client().await);
    let stream = js.get_stream(wire::bucket_stream(wire::REFUSALS)).await.expect("the bucket is there");
    let state = stream.cached_info().state.clone();
    let mut notes = Vec::new();
    for sequence in state.first_sequence.max(1)..=state.last_sequence {
        // Older ones of a kind have gone.
        let Ok(message) = stream.get_raw_message(sequence).await else { continue };
        if message.subject.starts_with(&format!("$KV.refusals.{channel}.")) {
            notes.push(serde_json::from_slice(&message.payload).expect("JSON"));
        }
    }
    notes
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
async fn a_flood_is_one_note_and_pushes_out_no_other() {
    let app = app().await;
    let port = app.port;
    assert_eq!(app.post(CHANNEL, "?").await.status, 415);
    until_noted(&app, 42, 1).await;
    let flood = (0..100).map(|_| async move { Request::post(CHANNEL, "{}").send(port).await });
    for response in futures::future::join_all(flood).await {
        assert_eq!(response.status, 400);
    }
    let times = |notes: &[Value], reason: &str| {
        let of = notes.iter().filter(|note| note["reason"] == reason);
        of.filter_map(|note| note["times"].as_u64()).collect::<Vec<_>>()
    };
    wait_for("all are noted", SOON, || async {
        let notes = notes(&app, 42).await;
        (times(&notes, "schema").iter().sum::<u64>() == 100).then_some(())
    })
    .await;
    // One kind after another until the older ones of it go.
    let stream =
        jetstream::new(app.nats.client().await).get_stream(wire::bucket_stream(wire::REFUSALS)).await;
    let config = stream.expect("the bucket is there").cached_info().config.clone();
    assert_eq!((config.max_messages_per_subject, config.subjects), (5, vec!["$KV.refusals.>".to_owned()]));
    assert_eq!(times(&notes(&app, 42).await, "not_json"), [1], "it stands under a subject of its own");
}

#[tokio::test]
async fn an_address_that_is_not_let_in_is_noted_where_it_may_be_meant_well() {
    let nats = harness::nats::NatsServer::start().await;
    mirror(&nats, 43, &record(true, &["swordfish"], vec![])).await;
    let app = TestApp::launch(nats, &["--trusted-proxies", "127.0.0.2"]).await;
    app.wait_until_ready().await;
    for (target, status) in [
        // A stranger, with anything but the channel's token.
        (CHANNEL, 403),
        ("/sentry-bot/channel?id=42&token=swordfish", 403),
        ("/sentry-bot/channel?id=43", 403),
        ("/sentry-bot/channel?id=43&token=marlin", 403),
        ("/sentry-bot/channel?id=44&token=swordfish", 403),
        // Somebody who has it.
        ("/sentry-bot/channel?id=43&token=swordfish", 403),
    ] {
        assert_eq!(app.post(target, MINIMAL).await.status, status, "{target}");
    }
    let noted = until_noted(&app, 43, 1).await;
    assert_eq!((noted.len(), &noted[0]["reason"], &noted[0]["times"]), (1, &"source".into(), &1.into()));
    assert_eq!(noted[0].get("detail"), None);
    for channel in [42, 44] {
        assert_eq!(notes(&app, channel).await, Vec::<Value>::new(), "{channel}");
    }

    let behind = TestApp::start_with(&["--trusted-proxies", "127.0.0.1"]).await;
    let forwarded = |agent: &str| {
        Request::post(CHANNEL, MINIMAL).header("X-Forwarded-For", "192.0.2.1").header("User-Agent", agent)
    };
    for agent in ["sentry/26.11.0 (https://sentry.io)", "Sentry/1", "curl/8.0", "my sentry/1", "sentry"] {
        assert_eq!(forwarded(agent).send(behind.port).await.status, 403, "{agent}");
    }
    assert_eq!(until_noted(&behind, 42, 1).await[0]["reason"], "source");
}
