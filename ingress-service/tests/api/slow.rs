//! Senders that take their time hold nothing for long.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::{Duration, Instant},
};

use crate::support::{CHANNEL, MINIMAL, TestApp, client};

/// Longer than every time limit together, also where the machine is busy.
const LIMIT: Duration = Duration::from_secs(25);

/// Reads until the connection ends; says what came and how long it took.
fn until_closed(stream: &mut impl std::io::Read) -> (String, Duration) {
    let started = Instant::now();
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    (String::from_utf8_lossy(&bytes).into_owned(), started.elapsed())
}

#[tokio::test]
async fn a_handshake_that_never_begins_is_closed() {
    let app = TestApp::start().await;
    let port = app.port;
    let (said, took) = client::run(move || {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("the server listens");
        stream.set_read_timeout(Some(LIMIT)).expect("a timeout");
        until_closed(&mut stream)
    })
    .await;
    assert_eq!(said, "");
    assert!(took < LIMIT, "{took:?}");
}

#[tokio::test]
async fn plain_http_is_closed() {
    let app = TestApp::start().await;
    let port = app.port;
    let took = client::run(move || {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("the server listens");
        stream.set_read_timeout(Some(LIMIT)).expect("a timeout");
        stream.write_all(b"POST /sentry-bot/channel?id=42 HTTP/1.1\r\n\r\n").expect("sent");
        until_closed(&mut stream).1
    })
    .await;
    assert!(took < LIMIT, "{took:?}");
}

#[tokio::test]
async fn a_head_that_never_ends_is_refused() {
    let app = TestApp::start().await;
    let port = app.port;
    let (said, took) = client::run(move || {
        let mut stream = client::connect(port);
        stream.write_all(b"POST /sentry-bot/channel?id=42 HTTP/1.1\r\nHost: x\r\n").expect("sent");
        until_closed(&mut stream)
    })
    .await;
    assert!(said.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{said}");
    assert!(
        said.ends_with(r#"{"error":{"message":"The headers took too long: send them at once"}}"#),
        "{said}"
    );
    assert!(took < LIMIT, "{took:?}");
}

#[tokio::test]
async fn a_body_that_never_ends_is_refused_while_others_are_served() {
    let app = TestApp::start().await;
    let port = app.port;
    for framing in ["Content-Length: 1000", "Transfer-Encoding: chunked"] {
        let slow = client::run(move || {
            let mut stream = client::connect(port);
            let head = format!("POST {CHANNEL} HTTP/1.1\r\nHost: x\r\n{framing}\r\n\r\n1\r\n{{\r\n");
            stream.write_all(head.as_bytes()).expect("sent");
            until_closed(&mut stream)
        });
        let quick = app.post(CHANNEL, MINIMAL);
        let ((said, took), quick) = tokio::join!(slow, quick);
        assert!(said.starts_with("HTTP/1.1 415"), "{said}");
        assert!(said.contains("Expected JSON body."), "{said}");
        assert!(took < LIMIT, "{took:?}");
        quick.expect(200, r#"{"success":"200"}"#);
    }
}

#[tokio::test]
async fn a_refused_sender_that_goes_on_for_ever_is_cut_off() {
    let app = TestApp::start().await;
    let port = app.port;
    let took = client::run(move || {
        let mut stream = client::connect(port);
        let head = "POST /elsewhere HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
        stream.write_all(head.as_bytes()).expect("sent");
        let started = Instant::now();
        stream.get_ref().set_read_timeout(Some(Duration::from_millis(50))).expect("a timeout");
        let mut chunk = [0; 1024];
        while started.elapsed() < LIMIT {
            if stream.write_all(b"1\r\nx\r\n").is_err() || stream.read(&mut chunk).is_ok_and(|read| read == 0)
            {
                break;
            }
        }
        started.elapsed()
    })
    .await;
    assert!(took < LIMIT, "{took:?}");
}
