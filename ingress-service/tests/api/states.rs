//! Bodies that describe a state: it may come back, and then it is news.

use async_nats::{
    header,
    jetstream::{self, message::PublishMessage},
};
use futures::future::join_all;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use shared::wire;

use crate::support::{
    CHANNEL, Pod, Request, TestApp, client, platform_fixture,
    trust::{KeysFile, now, record, start},
};
use harness::wait::{SOON, wait_for};

const STORED: &str = r#"{"success":"200"}"#;
const NOTE: &str = "$KV.seen.42.metric_alert.900123";

fn metric(state: &str) -> String {
    let mut body: Value =
        serde_json::from_str(&platform_fixture(&format!("metric_alert.{state}.json"))).expect("JSON");
    body["data"]["metric_alert"]["id"] = json!("900123");
    body.to_string()
}

fn unsigned(resource: &str, body: &str) -> Request {
    Request::post(CHANNEL, body).header("Sentry-Hook-Resource", resource)
}

fn signed(resource: &str, body: &str) -> Request {
    unsigned(resource, body)
        .header("Sentry-Hook-Signature", &harness::python::signature("hunter2", body.as_bytes()))
        .header("Sentry-Hook-Timestamp", &now())
}

async fn secured() -> TestApp {
    let keys = KeysFile::of(&[1]);
    start(&keys, &[(42, record(true, &[], vec![keys.seal(42, "s1", "hunter2")]))]).await
}

async fn bucket(app: &TestApp) -> jetstream::stream::Stream {
    let js = jetstream::new(app.nats.client().await);
    js.get_stream(wire::bucket_stream(wire::SEEN)).await.expect("the bucket is there")
}

/// The kinds of the alerts that are stored, in their order.
async fn kinds(app: &TestApp) -> Vec<String> {
    app.alerts().await.into_iter().map(|alert| alert.kind).collect()
}

#[tokio::test]
async fn a_state_that_comes_back_is_told_again_signed_or_not() {
    let [critical, warning] = ["critical", "warning"].map(metric);
    for app in [TestApp::start().await, secured().await] {
        // A signature is ignored where no secret is kept.
        for body in [&critical, &critical, &warning, &critical, &critical, &warning] {
            signed("metric_alert", body).send(app.port).await.expect(200, STORED);
        }
        let told =
            ["critical", "warning", "critical", "warning"].map(|state| format!("metric_alert.{state}"));
        assert_eq!(kinds(&app).await, told);
    }
}

#[tokio::test]
async fn issues_and_changed_comments_are_states_and_what_happens_once_is_not() {
    let app = secured().await;
    let issue = |name: &str| {
        let mut body: Value = serde_json::from_str(&platform_fixture(name)).expect("JSON");
        body["data"]["issue"]["id"] = json!("61");
        body.to_string()
    };
    let [resolved, back] = ["issue.resolved.json", "issue.unresolved.json"].map(issue);
    let comment = |text: &str, action: &str| {
        let mut body: Value = serde_json::from_str(&platform_fixture("comment.created.json")).expect("JSON");
        (body["action"], body["data"]["comment"]) = (json!(action), json!(text));
        body.to_string()
    };
    for _ in 0..2 {
        for (resource, body) in [
            ("issue", resolved.clone()),
            ("issue", back.clone()),
            ("comment", comment("a", "updated")),
            ("comment", comment("b", "updated")),
            ("comment", comment("a", "created")),
            ("error", platform_fixture("error.created.json")),
        ] {
            signed(resource, &body).send(app.port).await.expect(200, STORED);
        }
    }
    let mut told = kinds(&app).await;
    told.sort();
    let expected = [
        "comment.created",
        "comment.updated",
        "comment.updated",
        "comment.updated",
        "comment.updated",
        "error",
        "issue.resolved",
        "issue.resolved",
        "issue.unresolved",
        "issue.unresolved",
    ];
    assert_eq!(told, expected);
}

/// The sequence of the last alert in its stream.
async fn last_alert(app: &TestApp) -> u64 {
    let js = jetstream::new(app.nats.client().await);
    let stream = js.get_stream(wire::ALERTS).await.expect("the stream");
    stream.cached_info().state.last_sequence
}

#[tokio::test]
async fn the_note_of_a_state_holds_its_last_body_and_a_retry_after_a_crash_is_stored_once() {
    let app = TestApp::start().await;
    let [critical, warning] = ["critical", "warning"].map(metric);
    let sha256 = |body: &str| hex::encode(Sha256::digest(body));
    for body in [&critical, &warning] {
        unsigned("metric_alert", body).send(app.port).await.expect(200, STORED);
    }
    let bucket = bucket(&app).await;
    let note = bucket.get_last_raw_message_by_subject(NOTE).await.expect("noted");
    let held: Value = serde_json::from_slice(&note.payload).expect("JSON");
    assert_eq!(
        (&held["sha256"], &held["stored"]),
        (&json!(sha256(&warning)), &json!(last_alert(&app).await))
    );
    assert_eq!(note.headers.get(header::NATS_MESSAGE_TTL).map(|ttl| ttl.as_str()), Some("1200"));
    let ids: Vec<_> = app.stored().await.into_iter().map(|(id, _)| id).collect();
    let (first, second) = (note.sequence - 1, note.sequence);
    assert_eq!(ids, [format!("42-{}-0", sha256(&critical)), format!("42-{}-{first}", sha256(&warning))]);

    // A pod died between an alert and its note.
    let (_, alert) = app.stored().await.swap_remove(0);
    let js = jetstream::new(app.nats.client().await);
    let died = PublishMessage::build().message_id(format!("42-{}-{second}", sha256(&critical)));
    let died = died.payload(alert.encode().into());
    js.send_publish(wire::alert_subject(alert.channel), died).await.expect("sent").await.expect("stored");
    for _ in 0..2 {
        unsigned("metric_alert", &critical).send(app.port).await.expect(200, STORED);
    }
    assert_eq!(app.stored().await.len(), 3, "the retry has the id of the first try");
    let note = bucket.get_last_raw_message_by_subject(NOTE).await.expect("noted");
    let held: Value = serde_json::from_slice(&note.payload).expect("JSON");
    assert_eq!(
        (&held["sha256"], &held["stored"]),
        (&json!(sha256(&critical)), &json!(last_alert(&app).await))
    );
    unsigned("metric_alert", &warning).send(app.port).await.expect(200, STORED);
    assert_eq!(app.stored().await.len(), 4, "and the next state is news");
}

#[tokio::test]
async fn two_pods_at_once_take_a_state_once_and_two_states_both() {
    let app = TestApp::start().await;
    let other = Pod::launch(&app.nats, &["--runtime-mode", "development"]).await;
    wait_for("the other pod is ready", SOON, || async {
        (client::get(other.admin_port, "/readyz").await.0 == 200).then_some(())
    })
    .await;
    let [critical, warning] = ["critical", "warning"].map(metric);
    let ports = [app.port, other.port];
    let send = |body: &str, port: u16| {
        let request = unsigned("metric_alert", body);
        async move { request.send(port).await }
    };
    for response in join_all((0..8).map(|n| send(&critical, ports[n % 2]))).await {
        response.expect(200, STORED);
    }
    assert_eq!(kinds(&app).await, ["metric_alert.critical"]);
    let resolved = metric("resolved");
    let both = [(&warning, app.port), (&resolved, other.port)];
    for response in join_all(both.map(|(body, port)| send(body, port))).await {
        response.expect(200, STORED);
    }
    // Whichever was stored last is the last one noted, so it alone is a repeat now.
    let stored = app.stored().await;
    assert_eq!(stored.len(), 3, "{stored:?}");
    let note = bucket(&app).await.get_last_raw_message_by_subject(NOTE).await.expect("noted");
    let held: Value = serde_json::from_slice(&note.payload).expect("JSON");
    let sha256 = held["sha256"].as_str().expect("a hash");
    assert!(stored[2].0.contains(sha256), "{held}: {stored:?}");
    assert_eq!(held["stored"], last_alert(&app).await);
}

#[tokio::test]
async fn users_of_two_urls_are_each_told_of_a_state() {
    let app = TestApp::start().await;
    let critical = metric("critical");
    for mention in ["7", "8"] {
        let request = Request::post(&format!("{CHANNEL}&mention={mention}"), critical.clone());
        request.header("Sentry-Hook-Resource", "metric_alert").send(app.port).await.expect(200, STORED);
    }
    assert_eq!(app.alerts().await.len(), 2);
}
