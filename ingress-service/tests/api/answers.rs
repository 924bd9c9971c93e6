//! Every row of the contract's table of answers, and their order.

use shared::verdict::Verdict;

use crate::support::{CHANNEL, MINIMAL, Request, TestApp};

const FORBIDDEN: &str = r#"{"error":"Access Forbidden"}"#;
const INVALID: &str = r#"{"error":{"type":"validation_failed","message":"Validation failed."}}"#;
const NOT_JSON: &str = r#"{"error":{"type":"unsupported_media_type","message":"Expected JSON body.","invalid":[{"entry_type":"request_body","entry":"","rule":"json","constraint":true}]}}"#;
const NO_CHANNEL: &str = r#"{"error":{"message":"Channel ID must be a string of integer"}}"#;
const NO_MENTION: &str = r#"{"error":{"message":"Mention ID must be a string of integer"}}"#;

#[tokio::test]
async fn an_accepted_alert_is_answered_200_on_either_spelling_of_the_path() {
    let app = TestApp::start().await;
    for target in [
        CHANNEL,
        "/sentry-bot/channel/?id=42",
        "/sentry-bot/channel?id=42&mention=",
        "/sentry-bot/channel?%69d=%342",
    ] {
        let response = app.post(target, MINIMAL).await;
        response.expect(200, r#"{"success":"200"}"#);
        assert!(response.head.contains("content-type: application/json"), "{}", response.head);
    }
    assert!(app.verdicts().asked().iter().all(|question| question.channel.get() == 42));
}

#[tokio::test]
async fn other_paths_and_methods_are_forbidden() {
    let app = TestApp::start().await;
    for target in [
        "/",
        "/sentry-bot/channels?id=42",
        "/sentry-bot?id=42",
        "/sentry-bot/channel//?id=42",
        "//sentry-bot/channel?id=42",
        "/sentry-bot/../sentry-bot/channel?id=42",
        "/SENTRY-BOT/channel?id=42",
        "/sentry-bot/channel/x?id=42",
        "/%00%ff%zz",
        "/metrics",
    ] {
        app.post(target, MINIMAL).await.expect(400, FORBIDDEN);
    }
    for method in ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"] {
        Request::post(CHANNEL, MINIMAL).method(method).send(app.port).await.expect(400, FORBIDDEN);
    }
    Request::post(CHANNEL, "").method("HEAD").send(app.port).await.expect(400, "");
    Request::post("*", "").method("OPTIONS").send(app.port).await.expect(400, FORBIDDEN);
    let long = format!("/{}", "a/".repeat(20_000));
    app.post(&long, MINIMAL).await.expect(400, FORBIDDEN);
    assert_eq!(app.alerts().await, []);
}

#[tokio::test]
async fn a_query_must_have_an_id_and_nothing_unknown() {
    let app = TestApp::start().await;
    for query in [
        "",
        "?",
        "?id=",
        "?mention=7",
        "?id=42&x=1",
        "?id=42&id=42",
        "?id=42&mention=7&mention=",
        "?id=%4",
        "?id=42&mention=%ff",
        "?ID=42",
    ] {
        // The query is looked at before the body is.
        let target = format!("/sentry-bot/channel{query}");
        app.post(&target, "").await.expect(400, INVALID);
        app.post(&target, MINIMAL).await.expect(400, INVALID);
    }
}

#[tokio::test]
async fn a_body_must_be_json() {
    let app = TestApp::start().await;
    for body in [
        &b""[..],
        b" \n",
        b"{",
        b"project=shop",
        b"{\"project\":\"shop\"}}",
        b"\xef\xbb\xbf{}",
        b"\"\xff\"",
        b"{\"x\":NaN}",
    ] {
        app.post(CHANNEL, body).await.expect(415, NOT_JSON);
    }
    // Whatever is announced as its type.
    let announced = Request::post(CHANNEL, MINIMAL).header("Content-Type", "text/html");
    announced.send(app.port).await.expect(200, r#"{"success":"200"}"#);
}

#[tokio::test]
async fn a_body_must_keep_the_schema() {
    let app = TestApp::start().await;
    for body in [
        "null",
        "[]",
        "1",
        "\"x\"",
        "{}",
        r#"{"project":"p","message":"m"}"#,
        r#"{"project":"p","message":"m","event":[]}"#,
        r#"{"project":"p","message":"m","event":null}"#,
        r#"{"project":"p","message":null,"event":{}}"#,
        r#"{"project":"p","event":{}}"#,
        r#"{"project":"p","event":{"title":null}}"#,
        r#"{"message":"m","event":{}}"#,
        r#"{"project":1,"message":"m","event":{}}"#,
        r#"{"project":"p","project_slug":null,"message":"m","event":{}}"#,
        r#"{"project":"p","message":"m","event":{},"id":7}"#,
        r#"{"project":"p","message":"m","event":{},"logger":{}}"#,
        r#"{"project":"p","message":"m","event":{},"level":[1]}"#,
        r#"{"project":"p","message":"m","event":{},"culprit":false}"#,
        r#"{"project":"p","message":"m","event":{},"url":{"a":1}}"#,
        r#"{"project":"p","message":"m","event":{},"project_name":1e999}"#,
    ] {
        app.post(CHANNEL, body).await.expect(400, INVALID);
        // Before the ids are looked at.
        app.post("/sentry-bot/channel?id=x&mention=y", body).await.expect(400, INVALID);
    }
}

#[tokio::test]
async fn what_the_schema_leaves_open_is_taken() {
    let app = TestApp::start().await;
    for body in [
        r#"{"project_slug":"p","url":"","event":{}}"#,
        r#"{"project":"p","event":{"title":""}}"#,
        r#"{"project":"p","message":"m","event":{},"logger":null,"level":null,"culprit":null}"#,
        r#"{"project":"p","message":"m","event":{"timestamp":1e999},"triggering_rules":7,"other":[[]]}"#,
        r#"{"project":"\ud800","message":"\udc00m","event":{"\ud800":1},"triggering_rules":[{},"r"]}"#,
        r#"{"project":1,"project":"p","message":"m","event":{}}"#,
    ] {
        app.post(CHANNEL, body).await.expect(200, r#"{"success":"200"}"#);
    }
}

#[tokio::test]
async fn ids_are_one_to_twenty_digits_that_fit_64_bits() {
    let app = TestApp::start().await;
    for id in [
        "x",
        "-1",
        "+1",
        "%2B1",
        "%201",
        "1.0",
        "0x1",
        "18446744073709551616",
        "000000000000000000001",
        "%D9%A3",
    ] {
        app.post(&format!("/sentry-bot/channel?id={id}&mention=x"), MINIMAL).await.expect(400, NO_CHANNEL);
        app.post(&format!("/sentry-bot/channel?id=1&mention={id}"), MINIMAL).await.expect(400, NO_MENTION);
    }
    let largest = format!("/sentry-bot/channel?id={0}&mention={0}", u64::MAX);
    app.post(&largest, MINIMAL).await.expect(200, r#"{"success":"200"}"#);
}

#[tokio::test]
async fn a_refusing_verdict_is_told() {
    let app = TestApp::start_with(&["--runtime-mode", "development"])
        .await
        .decide(|question| {
            Some(match (question.channel.get(), question.mention.map(|user| user.get())) {
                (1, None) => Verdict::Accepted,
                (1, Some(2)) => Verdict::UserUnknown,
                (1, Some(3)) => Verdict::UserWithoutProject,
                (1, Some(_)) => Verdict::UserOnOtherProject { project: "other".to_owned() },
                _ => Verdict::ChannelNotAuthorized,
            })
        })
        .await;
    for (query, status, body) in [
        ("id=1", 200, r#"{"success":"200"}"#),
        ("id=9", 401, r#"{"error":{"message":"Unauthorized channel","channel":9}}"#),
        ("id=1&mention=2", 401, r#"{"error":{"message":"User does not exist","user":2}}"#),
        ("id=1&mention=3", 401, r#"{"error":{"message":"User is not registered to any project","id":3}}"#),
        (
            "id=1&mention=4",
            401,
            r#"{"error":{"message":"User is already registered to other project","id":4,"project":"other"}}"#,
        ),
        ("id=0", 401, r#"{"error":{"message":"Unauthorized channel","channel":0}}"#),
        ("id=1&mention=0", 401, r#"{"error":{"message":"User does not exist","user":0}}"#),
        ("id=9&mention=0", 401, r#"{"error":{"message":"Unauthorized channel","channel":9}}"#),
        // This channel has no token, so none is right.
        ("id=1&token=x", 401, r#"{"error":{"message":"Unauthorized channel","channel":1}}"#),
    ] {
        app.post(&format!("/sentry-bot/channel?{query}"), MINIMAL).await.expect(status, body);
    }
    assert_eq!(app.alerts().await.len(), 1);
    assert!(app.verdicts().asked().iter().all(|question| question.project == "shop"));
}
