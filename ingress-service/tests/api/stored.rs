//! What reaches the queue, and what the queue refuses.

use harness::wait::{SOON, wait_for};

use crate::support::{CHANNEL, MINIMAL, Request, TestApp};

const STORED: &str = r#"{"success":"200"}"#;

#[tokio::test]
async fn an_answered_alert_is_in_the_stream() {
    let app = TestApp::start().await;
    let before = chrono::Utc::now().timestamp_millis();
    let body = r#"{"project_slug":"shop","message":"It broke","event":{"title":"T","timestamp":1.5}}"#;
    app.post("/sentry-bot/channel?id=42&mention=7", body).await.expect(200, STORED);
    let [alert] = app.alerts().await.try_into().expect("one alert");
    assert_eq!((alert.channel.get(), alert.mention.map(|user| user.get())), (42, Some(7)));
    assert_eq!(alert.project, "shop");
    assert_eq!(alert.message.as_deref(), Some("It broke"));
    assert_eq!(alert.timestamp_ms, 1_500);
    assert!((before..=chrono::Utc::now().timestamp_millis()).contains(&alert.received_ms));
}

#[tokio::test]
async fn a_repeated_alert_is_answered_and_stored_once() {
    let app = TestApp::start().await;
    let other = MINIMAL.replace("shop", "blog");
    let with_key = |body: &str, key: &str| Request::post(CHANNEL, body).header("Idempotency-Key", key);
    for request in [
        Request::post(CHANNEL, MINIMAL),
        Request::post(CHANNEL, MINIMAL),
        Request::post("/sentry-bot/channel?id=42&mention=7", MINIMAL),
        Request::post("/sentry-bot/channel?id=43", MINIMAL),
        with_key(MINIMAL, "a1"),
        with_key(&other, "a1"),
        with_key(MINIMAL, "a2"),
        Request::post(CHANNEL, MINIMAL).header("Request-ID", "r"),
        Request::post(CHANNEL, other.clone()).header("Request-ID", "r"),
        with_key(MINIMAL, &"k".repeat(5_000)),
    ] {
        request.send(app.port).await.expect(200, STORED);
    }
    let ids: Vec<_> = app.stored().await.into_iter().map(|(id, _)| id).collect();
    assert_eq!(ids.len(), 7, "{ids:?}");
    assert_eq!(ids[3..6], ["42-a1", "42-a2", "42-r"]);
    assert!(ids.iter().all(|id| id.len() < 100), "{ids:?}");
}

#[tokio::test]
async fn a_burst_is_stored_whole() {
    let app = TestApp::start().await;
    let port = app.port;
    let burst = (0..100).map(|n| Request::post(CHANNEL, MINIMAL.replace("shop", &format!("shop-{n}"))));
    let sent = burst.map(|request| async move { request.send(port).await });
    for response in futures::future::join_all(sent).await {
        response.expect(200, STORED);
    }
    assert_eq!(app.alerts().await.len(), 100);
}

#[tokio::test]
async fn a_full_backlog_is_answered_429_and_other_channels_go_on() {
    let app = TestApp::start_with(&["--runtime-mode", "development", "--channel-backlog-max", "2"])
        .await
        .decide(|_| Some(shared::verdict::Verdict::Accepted))
        .await;
    let post = |n: u32, channel: u32| {
        let body = MINIMAL.replace("shop", &format!("shop-{n}"));
        Request::post(&format!("/sentry-bot/channel?id={channel}"), body)
    };
    post(1, 42).send(app.port).await.expect(200, STORED);
    post(2, 42).send(app.port).await.expect(200, STORED);
    let full = post(3, 42).send(app.port).await;
    full.expect(429, r#"{"error":{"message":"Too many alerts are waiting for this channel","channel":42}}"#);
    assert!(full.head.contains("retry-after: "), "{}", full.head);
    post(4, 43).send(app.port).await.expect(200, STORED);
}

#[tokio::test]
async fn a_full_stream_is_answered_503() {
    let small =
        ["--runtime-mode", "development", "--alerts-max-bytes", "1048576", "--channel-backlog-max", "16"];
    let app = TestApp::start_with(&small).await.decide(|_| Some(shared::verdict::Verdict::Accepted)).await;
    let mut last = None;
    for n in 0..1_000 {
        let text = "x".repeat(1_000);
        let body = format!(
            r#"{{"project":"p{n}","message":"{text}","culprit":"{text}","url":"{text}","project_name":"{text}","logger":"{text}","event":{{"title":"{text}"}}}}"#
        );
        let response = app.post(&format!("/sentry-bot/channel?id={n}1"), body).await;
        if response.status != 200 {
            last = Some(response);
            break;
        }
    }
    let full = last.expect("a megabyte does not hold a thousand alerts");
    full.expect(503, r#"{"error":{"message":"Alert queue unavailable"}}"#);
    assert!(full.head.contains("retry-after: "), "{}", full.head);
    wait_for("/readyz says which setting", SOON, || async {
        let (status, said) = app.admin("/readyz").await;
        (status == 503 && said.contains("raise ALERTS_MAX_BYTES")).then_some(())
    })
    .await;
}
