//! What cannot be read as HTTP is answered, logged and counted like the rest.

use harness::nats::NatsServer;

use crate::support::{CHANNEL, MINIMAL, TestApp, client, program::Running};

const FORBIDDEN: &str = r#"{"error":"Access Forbidden"}"#;
const INVALID: &str = r#"{"error":{"type":"validation_failed","message":"Validation failed."}}"#;
const BROKEN: &str =
    r#"{"error":{"message":"Malformed headers: send HTTP/1.1 with Host, and Content-Length or chunks"}}"#;
const LARGE: &str = r#"{"error":{"message":"Too many or too long headers: send fewer"}}"#;

/// The bytes of a head that actix reads at most.
const MAX_HEAD: usize = 131_072;

/// A whole request with this request line and these headers.
fn request(line: &str, headers: &str) -> Vec<u8> {
    format!("{line}\r\n{headers}Content-Length: {}\r\n\r\n{MINIMAL}", MINIMAL.len()).into_bytes()
}

#[tokio::test]
async fn what_is_no_request_is_told_what_is_wrong_with_it() {
    const HOST: &str = "Host: x\r\n";
    let app = TestApp::start().await;
    let ours = format!("POST {CHANNEL} HTTP/1.1");
    let long = "a".repeat(70_000);
    for (line, headers, status, body) in [
        ("POST /<script> HTTP/1.1", HOST, 400, FORBIDDEN),
        ("POST /a b HTTP/1.1", HOST, 400, FORBIDDEN),
        ("POST /é HTTP/1.1", HOST, 400, FORBIDDEN),
        (&format!("POST /{long} HTTP/1.1"), HOST, 400, FORBIDDEN),
        (&format!("PO(T {CHANNEL} HTTP/1.1"), HOST, 400, FORBIDDEN),
        ("\u{1}\u{2}", "", 400, FORBIDDEN),
        ("GET /", "", 400, FORBIDDEN),
        ("PRI * HTTP/2.0", "", 400, FORBIDDEN),
        ("POST /sentry-bot/channel?id=<42> HTTP/1.1", HOST, 400, INVALID),
        ("POST /sentry-bot/channel/?id= 42 HTTP/1.1", HOST, 400, INVALID),
        ("POST /sentry-bot/channel?id=42#\u{1} HTTP/1.1", HOST, 400, INVALID),
        ("POST /sentry-bot/channel?id=42#a b HTTP/1.1", HOST, 400, INVALID),
        ("POST /sentry-bot/channel?id=42#<a> HTTP/1.1", "", 400, BROKEN),
        (&format!("POST {CHANNEL}&token={long} HTTP/1.1"), HOST, 400, INVALID),
        (&ours, "", 400, BROKEN),
        (&ours, "Host: x\r\nX : y\r\n", 400, BROKEN),
        (&ours, "Host: x\r\nContent-Length: 3\r\n", 400, BROKEN),
        (&ours, "Host: x\r\nTransfer-Encoding: chunked\r\n", 400, BROKEN),
        (&format!("POST {CHANNEL} HTTP/2.0"), HOST, 400, BROKEN),
        (&ours, &"X: y\r\n".repeat(100), 431, LARGE),
    ] {
        let response = client::send(app.port, request(line, headers)).await;
        assert_eq!((response.status, &*response.body), (status, body), "{:.60} {headers:.60}", line);
        assert!(response.head.contains("content-type: application/json"), "{}", response.head);
        assert!(response.head.contains("connection: close"), "{}", response.head);
    }
    // Without an end, so that all of it is sent before it is answered.
    let endless = format!("{ours}\r\nX: {}", long.repeat(2));
    let endless = endless.as_bytes()[..MAX_HEAD].to_vec();
    client::send(app.port, endless).await.expect(431, LARGE);
    assert_eq!(app.alerts().await, []);
}

#[tokio::test]
async fn what_is_no_request_is_logged_and_counted_without_what_was_sent() {
    let nats = NatsServer::start().await;
    let running = Running::start(&nats).await;
    for line in ["POST /sentry-bot/channel?id=42&token=hunter2 HTTP/1.1", "POST /<hunter2> HTTP/1.1"] {
        assert_eq!(client::send(running.port, request(line, "")).await.status, 400);
    }
    let said = running.said();
    let refusals: Vec<serde_json::Value> = said
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .filter(|line: &serde_json::Value| line["message"] == "refused a request")
        .collect();
    let told = |index: usize| ["source", "path", "rule"].map(|name| refusals[index][name].as_str().unwrap());
    assert_eq!(told(0), ["127.0.0.1", "/sentry-bot/channel", "head: malformed headers"], "{said}");
    assert_eq!(told(1), ["127.0.0.1", "", "head: the request line is unknown"], "{said}");
    assert!(!said.contains("hunter2"), "{said}");
    let (_, metrics) = client::get(running.admin_port, "/metrics").await;
    for outcome in ["broken_head", "access_forbidden"] {
        let line = format!(r#"sentry_bot_ingress_requests_total{{outcome="{outcome}"}} 1"#);
        assert!(metrics.contains(&line), "{line} is missing:\n{metrics}");
    }
}
