//! Signed requests that come again.

use std::time::Duration;

use async_nats::{header, jetstream};
use harness::wait::{SOON, wait_for};
use sha2::{Digest as _, Sha256};
use shared::wire;

use crate::support::{
    MINIMAL, Pod, Request, TestApp, client,
    trust::{KeysFile, now, record, start},
};

const STORED: &str = r#"{"success":"200"}"#;
const AWAY: &str = r#"{"error":{"message":"Alert queue unavailable"}}"#;

async fn secured() -> TestApp {
    let keys = KeysFile::of(&[1]);
    let secured =
        |channel| (channel, record(true, &["swordfish"], vec![keys.seal(channel, "s1", "hunter2")]));
    start(&keys, &[secured(42), secured(43)]).await
}

fn arguments(keys: &KeysFile) -> [&str; 4] {
    ["--runtime-mode", "development", "--secrets-key-file", keys.path()]
}

async fn ready(pod: Pod) -> Pod {
    wait_for("the pod is ready", SOON, || async {
        (client::get(pod.admin_port, "/readyz").await.0 == 200).then_some(())
    })
    .await;
    pod
}

fn signed(target: &str, body: &str) -> Request {
    Request::post(&format!("/sentry-bot/channel?{target}"), body)
        .header("Sentry-Hook-Signature", &harness::python::signature("hunter2", body.as_bytes()))
        .header("Sentry-Hook-Timestamp", &now())
}

async fn stream(app: &TestApp, name: &str) -> jetstream::stream::Stream {
    jetstream::new(app.nats.client().await).get_stream(name).await.expect("it is there")
}

async fn waiting(app: &TestApp) -> u64 {
    stream(app, wire::ALERTS).await.cached_info().state.messages
}

#[tokio::test]
async fn a_captured_request_is_stored_once_whatever_stands_around_its_body() {
    let app = secured().await;
    for request in [
        signed("id=42", MINIMAL),
        signed("id=42", MINIMAL),
        signed("id=42", MINIMAL).header("Idempotency-Key", "fresh").header("Request-ID", "fresh"),
        signed("id=42&mention=7", MINIMAL),
        signed("id=42&token=swordfish", MINIMAL),
    ] {
        request.send(app.port).await.expect(200, STORED);
    }
    let [(id, _)] = app.stored().await.try_into().expect("one alert");
    assert_eq!(id, format!("42-{}", hex::encode(Sha256::digest(MINIMAL))));
    // Another channel's is another request.
    signed("id=43", MINIMAL).send(app.port).await.expect(200, STORED);
    assert_eq!(waiting(&app).await, 2);
}

#[tokio::test]
async fn what_one_pod_has_stored_another_does_not_store_again() {
    let app = secured().await;
    let keys = KeysFile::of(&[1]);
    let other = ready(Pod::launch(&app.nats, &arguments(&keys)).await).await;
    for port in [app.port, other.port, app.port] {
        signed("id=42", MINIMAL).send(port).await.expect(200, STORED);
    }
    assert_eq!(waiting(&app).await, 1);
}

#[tokio::test]
async fn of_requests_at_the_same_moment_one_is_stored() {
    let app = secured().await;
    let burst = (0..8).map(|_| signed("id=42", MINIMAL)).map(|request| {
        let port = app.port;
        async move { request.send(port).await }
    });
    for response in futures::future::join_all(burst).await {
        response.expect(200, STORED);
    }
    assert_eq!(waiting(&app).await, 1);
}

#[tokio::test]
async fn a_captured_request_is_known_after_jetstream_has_forgotten_its_id() {
    let mut app = secured().await;
    signed("id=42", MINIMAL).send(app.port).await.expect(200, STORED);
    for remembered in [true, false] {
        // Posted and removed, and then a restart: as after the ten minutes.
        stream(&app, wire::ALERTS).await.purge().await.expect("purged");
        if !remembered {
            stream(&app, &wire::bucket_stream(wire::SEEN)).await.purge().await.expect("purged");
        }
        app.nats.restart().await;
        app.wait_until_ready().await;
        let response = signed("id=42", MINIMAL).send(app.port).await;
        assert!(matches!(response.status, 200 | 202), "{} {}", response.status, response.body);
        assert_eq!(waiting(&app).await, u64::from(!remembered), "remembered: {remembered}");
    }
}

#[tokio::test]
async fn a_signed_request_is_remembered_for_a_week_and_others_are_not() {
    let app = secured().await;
    let unsigned = MINIMAL.replace("shop", "blog");
    Request::post("/sentry-bot/channel?id=42&token=swordfish", unsigned)
        .send(app.port)
        .await
        .expect(200, STORED);
    signed("id=42", MINIMAL).send(app.port).await.expect(200, STORED);
    let seen = stream(&app, &wire::bucket_stream(wire::SEEN)).await;
    assert!(seen.cached_info().config.allow_message_ttl);
    assert_eq!(seen.cached_info().state.messages, 1, "what was not signed is not remembered");
    let key = format!("$KV.seen.42.{}", hex::encode(Sha256::digest(MINIMAL)));
    let note = seen.get_last_raw_message_by_subject(&key).await.expect("remembered");
    assert_eq!(note.headers.get(header::NATS_MESSAGE_TTL).map(|ttl| ttl.as_str()), Some("604800"));
    assert!(note.payload.is_empty());
}

#[tokio::test]
async fn a_bucket_that_was_removed_is_made_again() {
    let app = secured().await;
    let js = jetstream::new(app.nats.client().await);
    js.delete_stream(wire::bucket_stream(wire::SEEN)).await.expect("deleted");
    signed("id=42", MINIMAL).send(app.port).await.expect(200, STORED);
    assert_eq!(stream(&app, &wire::bucket_stream(wire::SEEN)).await.cached_info().state.messages, 1);
}

#[tokio::test]
async fn a_hanging_nats_delays_a_signed_request_no_longer_than_any_other() {
    let app = secured().await;
    let keys = KeysFile::of(&[1]);
    let punctual = ready(Pod::launch_punctual(&app.nats, &arguments(&keys)).await).await;
    app.nats.pause();
    let mut took = Vec::new();
    for n in 0..3 {
        let response = signed("id=42", &MINIMAL.replace("shop", &n.to_string())).send(punctual.port).await;
        response.expect(503, AWAY);
        took.push(response.took);
    }
    // A busy machine may delay one of them.
    assert!(took.iter().min() < Some(&Duration::from_millis(500)), "{took:?}");
}
