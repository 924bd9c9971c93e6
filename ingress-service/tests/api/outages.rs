//! What is answered when something behind the ingress is away, and how soon.

use std::{ops::Range, time::Duration};

use async_nats::jetstream;
use harness::{
    nats::NatsServer,
    wait::{SOON, wait_for},
};
use shared::{verdict::Verdict, wire};

use crate::support::{CHANNEL, MINIMAL, Request, TestApp, platform_fixture};

const DEVELOPMENT: &[&str] = &["--runtime-mode", "development"];
const LIMIT: Duration = Duration::from_millis(500);
const AWAY: &str = r#"{"error":{"message":"Alert queue unavailable"}}"#;
const UNVERIFIED: &str = r#"{"success":"202"}"#;

fn alert(n: u32) -> Request {
    Request::post(CHANNEL, MINIMAL.replace("shop", &format!("shop-{n}")))
}

/// Sends these alerts, which must all be answered so, and the quickest in time:
/// a busy machine may delay the others.
async fn in_time(app: &TestApp, alerts: Range<u32>, status: u16, body: &str) {
    let mut took = Vec::new();
    for n in alerts {
        let response = alert(n).send(app.port).await;
        response.expect(status, body);
        assert_eq!(response.head.contains("retry-after: "), status == 503, "{}", response.head);
        took.push(response.took);
    }
    assert!(took.iter().min() < Some(&LIMIT), "{took:?}");
}

/// A request that is answered 503 once it was held for so long.
async fn held(app: &TestApp, request: Request, time: Duration) {
    let response = request.send(app.port).await;
    response.expect(503, AWAY);
    assert!(response.head.contains("retry-after: "), "{}", response.head);
    // It is counted from the head, and `took` from the last byte.
    let most = time + LIMIT;
    assert!(response.took > time.mul_f32(0.9) && response.took < most, "{:?}", response.took);
}

#[tokio::test]
async fn without_discord_service_an_alert_is_stored_and_answered_202() {
    let app = TestApp::start_with(DEVELOPMENT).await;
    in_time(&app, 1..4, 202, UNVERIFIED).await;
    assert_eq!(app.alerts().await.len(), 3);
}

#[tokio::test]
async fn with_a_silent_discord_service_an_alert_is_stored_in_time() {
    let arguments = [DEVELOPMENT, &["--verdict-timeout-ms", "200"]].concat();
    let app = TestApp::start_with(&arguments).await.decide(|_| None).await;
    let response = alert(1).send(app.port).await;
    response.expect(202, UNVERIFIED);
    assert!(response.took >= Duration::from_millis(150), "waited for the verdict: {:?}", response.took);
    in_time(&app, 2..5, 202, UNVERIFIED).await;
    assert_eq!(app.verdicts().asked().len(), 4);
}

#[tokio::test]
async fn an_unavailable_store_is_no_verdict() {
    let app = TestApp::start_with(DEVELOPMENT).await.decide(|_| Some(Verdict::Unavailable)).await;
    alert(1).send(app.port).await.expect(202, UNVERIFIED);
}

#[tokio::test]
async fn without_verdicts_a_strange_channel_gets_ten_alerts_a_minute() {
    let app = TestApp::start_with(DEVELOPMENT).await;
    for n in 0..10 {
        alert(n).send(app.port).await.expect(202, UNVERIFIED);
    }
    let refused = alert(10).send(app.port).await;
    refused.expect(503, AWAY);
    assert!(refused.head.contains("retry-after: "), "{}", refused.head);
    app.post("/sentry-bot/channel?id=43", MINIMAL).await.expect(202, UNVERIFIED);
    assert_eq!(app.alerts().await.len(), 11);
}

#[tokio::test]
async fn without_verdicts_a_channel_seen_authorized_is_not_limited() {
    let app = TestApp::start_with(DEVELOPMENT)
        .await
        .decide(|question| {
            Some(if question.project == "shop-0" { Verdict::Accepted } else { Verdict::Unavailable })
        })
        .await;
    alert(0).send(app.port).await.expect(200, r#"{"success":"200"}"#);
    for n in 1..=12 {
        alert(n).send(app.port).await.expect(202, UNVERIFIED);
    }
}

#[tokio::test]
async fn a_hanging_nats_is_answered_503_in_time_and_recovered_from() {
    let app = TestApp::launch_punctual(NatsServer::start().await, DEVELOPMENT).await;
    app.wait_until_ready().await;
    wait_until_stored(&app, 1).await;
    app.nats.pause();
    in_time(&app, 2..6, 503, AWAY).await;
    app.wait_for_readiness(503, Duration::from_secs(30)).await;
    app.nats.unpause();
    app.wait_until_ready().await;
    wait_until_stored(&app, 9).await;
}

#[tokio::test]
async fn a_dead_nats_holds_requests_and_is_recovered_from() {
    let mut app = TestApp::start().await;
    app.nats.kill();
    app.wait_for_readiness(503, SOON).await;
    // It has read what channels trust, so requests are still to be sent here.
    assert_eq!(app.admin("/readyz?for=traffic").await.0, 200);
    held(&app, alert(1), Duration::from_millis(2_500)).await;
    let modern = Request::post(CHANNEL, platform_fixture("error.created.json"))
        .header("Sentry-Hook-Resource", "error");
    held(&app, modern, Duration::from_millis(700)).await;
    app.nats.restart().await;
    app.wait_until_ready().await;
    wait_until_stored(&app, 4).await;
}

#[tokio::test]
async fn a_nats_that_comes_later_is_found() {
    let mut nats = NatsServer::start().await;
    nats.kill();
    let mut app = TestApp::launch(nats, DEVELOPMENT).await;
    alert(1).send(app.port).await.expect(503, AWAY);
    assert_eq!(app.admin("/readyz").await.0, 503);
    assert_eq!(app.admin("/readyz?for=traffic").await.0, 503);
    assert_eq!(app.admin("/healthz").await.0, 200);
    app.nats.restart().await;
    app.wait_until_ready().await;
    assert_eq!(app.admin("/readyz?for=traffic").await.0, 200);
    alert(2).send(app.port).await.expect(202, UNVERIFIED);
}

#[tokio::test]
async fn a_stream_that_was_removed_is_made_again() {
    let app = TestApp::start().await;
    let js = jetstream::new(app.nats.client().await);
    js.delete_stream(wire::ALERTS).await.expect("it is there");
    alert(1).send(app.port).await.expect(200, r#"{"success":"200"}"#);
    assert_eq!(app.alerts().await.len(), 1);
}

/// Verdicts come again a moment after NATS does, so either success will do. NATS
/// may be late at first, where the time for an answer is short.
async fn wait_until_stored(app: &TestApp, n: u32) {
    wait_for("it is stored", SOON, || async {
        let response = alert(n).send(app.port).await;
        assert!(matches!(response.status, 200 | 202 | 503), "{} {}", response.status, response.body);
        (response.status != 503).then_some(())
    })
    .await;
    assert!(app.alerts().await.iter().any(|alert| alert.project == format!("shop-{n}")));
}
