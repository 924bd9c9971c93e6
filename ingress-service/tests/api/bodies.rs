//! Bodies of every size and in every manner of sending.

use std::{io::Write as _, time::Duration};

use crate::support::{CHANNEL, MINIMAL, Request, TestApp, client};

const LIMIT: usize = 1_000;
const TOO_LARGE: &str = r#"{"error":{"type":"payload_too_large","message":"Body exceeds 1000 bytes."}}"#;

async fn limited() -> TestApp {
    TestApp::start_with(&["--runtime-mode", "development", "--max-body-bytes", "1000"]).await
}

/// [`MINIMAL`] with blanks after it so that it has `length` bytes.
fn padded(length: usize) -> String {
    let blanks = length - MINIMAL.len();
    format!("{MINIMAL}{}", " ".repeat(blanks))
}

fn chunked(body: &[u8], chunk: usize) -> Request {
    let mut encoded = Vec::new();
    for part in body.chunks(chunk) {
        encoded.extend(format!("{:x}\r\n", part.len()).into_bytes());
        encoded.extend(part);
        encoded.extend(b"\r\n");
    }
    encoded.extend(b"0\r\n\r\n");
    Request::post(CHANNEL, encoded).header("Transfer-Encoding", "chunked")
}

#[tokio::test]
async fn the_limit_is_exact_and_comes_before_the_question_whether_it_is_json() {
    let app = limited().await;
    app.post(CHANNEL, padded(LIMIT)).await.expect(202, r#"{"success":"202"}"#);
    app.post(CHANNEL, padded(LIMIT + 1)).await.expect(413, TOO_LARGE);
    app.post(CHANNEL, vec![b'x'; LIMIT + 1]).await.expect(413, TOO_LARGE);
    chunked(padded(LIMIT).as_bytes(), 7).send(app.port).await.expect(202, r#"{"success":"202"}"#);
    chunked(padded(LIMIT + 1).as_bytes(), 300).send(app.port).await.expect(413, TOO_LARGE);
}

#[tokio::test]
async fn a_sender_that_reads_only_when_it_has_sent_everything_gets_its_answer() {
    let app = limited().await;
    let big = vec![b' '; 5 << 20];
    app.post(CHANNEL, big.clone()).await.expect(413, TOO_LARGE);
    chunked(&big, 10_000).send(app.port).await.expect(413, TOO_LARGE);
    let response = app.post("/elsewhere", big).await;
    response.expect(400, r#"{"error":"Access Forbidden"}"#);
}

#[tokio::test]
async fn an_announced_length_over_the_limit_is_refused_before_it_comes() {
    let app = limited().await;
    let head = format!("POST {CHANNEL} HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n");
    client::send(app.port, head.into()).await.expect(413, TOO_LARGE);
}

#[tokio::test]
async fn a_sender_that_asks_first_is_told_to_continue() {
    let app = limited().await;
    let port = app.port;
    let response = client::run(move || {
        let mut stream = client::connect(port);
        let head = format!(
            "POST {CHANNEL} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: {}\r\n\r\n",
            MINIMAL.len()
        );
        stream.write_all(head.as_bytes()).expect("sent");
        let interim = "HTTP/1.1 100 Continue\r\n\r\n";
        let mut said = vec![0; interim.len()];
        std::io::Read::read_exact(&mut stream, &mut said).expect("an interim answer");
        assert_eq!(said, interim.as_bytes());
        stream.write_all(MINIMAL.as_bytes()).expect("sent");
        client::read(&mut stream).expect("an answer")
    })
    .await;
    response.expect(202, r#"{"success":"202"}"#);
}

#[tokio::test]
async fn a_body_may_come_in_pieces() {
    let app = limited().await;
    let port = app.port;
    let response = client::run(move || {
        let mut stream = client::connect(port);
        for byte in Request::post(CHANNEL, MINIMAL).bytes() {
            stream.write_all(&[byte]).expect("sent");
        }
        client::read(&mut stream).expect("an answer")
    })
    .await;
    response.expect(202, r#"{"success":"202"}"#);
    // It is answered for what came, and not because no more comes.
    assert!(response.took < Duration::from_secs(5), "{:?}", response.took);
}

#[tokio::test]
async fn a_body_of_the_default_limit_is_taken() {
    let app = TestApp::start().await;
    let response = app.post(CHANNEL, padded(2 << 20)).await;
    response.expect(200, r#"{"success":"200"}"#);
    let over = app.post(CHANNEL, padded((2 << 20) + 1)).await;
    over.expect(413, r#"{"error":{"type":"payload_too_large","message":"Body exceeds 2097152 bytes."}}"#);
}

#[tokio::test]
async fn broken_http_is_refused_or_closed_and_hurts_nobody_else() {
    let app = TestApp::start().await;
    for broken in [
        "POST /sentry-bot/channel?id=42 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "POST /sentry-bot/channel?id=42 HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        "POST /sentry-bot/channel?id=42 HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST /sentry-bot/channel?id=42 HTTP/1.1\r\n\r\n",
        "POST  HTTP/1.1\r\n\r\n",
        "\0\0\0\0\r\n\r\n",
    ] {
        let response = client::send(app.port, broken.into()).await;
        assert!((400..500).contains(&response.status), "{broken:?}: {}", response.head);
    }
    app.post(CHANNEL, MINIMAL).await.expect(200, r#"{"success":"200"}"#);
}
