//! Connections of trusted proxies stay open, and no others.

use std::{
    io::{Read as _, Write as _},
    time::{Duration, Instant},
};

use harness::{nats::NatsServer, process::signal, wait::SOON};

use crate::support::{MINIMAL, Request, TestApp, client, program::Running};

const STORED: &str = r#"{"success":"202"}"#;
const CLOSES: &str = "connection: close";

fn alert(n: u32) -> Vec<u8> {
    // Each to a channel of its own: there are no verdicts.
    let target = format!("/sentry-bot/channel?id={}", n + 1);
    Request::post(&target, MINIMAL.replace("shop", &format!("shop-{n}"))).bytes()
}

#[tokio::test]
async fn a_proxys_connection_is_kept_until_it_is_told_that_it_is_not() {
    let nats = NatsServer::start().await;
    let mut running = Running::start_with(&nats, &[("TRUSTED_PROXIES", "127.0.0.1")]).await;
    let (port, process) = (running.port, running.child.id());
    let (told, said) = client::run(move || {
        let mut stream = client::connect(port);
        let mut idle = client::connect(port);
        for n in 0..3 {
            for stream in [&mut stream, &mut idle] {
                stream.write_all(&alert(n)).expect("sent");
                let response = client::read(stream).expect("an answer");
                response.expect(202, STORED);
                assert!(!response.head.contains(CLOSES), "{}", response.head);
            }
        }
        signal(process, "TERM");
        // Until it hears the signal it keeps the connection.
        let started = Instant::now();
        let mut further = 3..;
        let told = loop {
            assert!(started.elapsed() < SOON, "it was never told");
            stream.write_all(&alert(further.next().expect("a number"))).expect("sent");
            let response = client::read(&mut stream).expect("an answer");
            response.expect(202, STORED);
            if response.head.contains(CLOSES) {
                break response;
            }
        };
        let mut rest = Vec::new();
        let _ = idle.read_to_end(&mut rest);
        (told, rest)
    })
    .await;
    assert!(told.head.contains(CLOSES), "{}", told.head);
    assert_eq!(said, b"", "the idle one is closed without a word");
    assert_eq!(running.exit_code(SOON).await, Some(0), "{}", running.said());
}

#[tokio::test]
async fn a_request_that_is_refused_unread_takes_no_other_one_with_it() {
    let app = TestApp::start_with(&["--runtime-mode", "development", "--trusted-proxies", "127.0.0.1"]).await;
    let port = app.port;
    client::run(move || {
        for n in 0..50 {
            let mut stream = client::connect(port);
            let refused = Request::post("/sentry-bot/channel", MINIMAL).bytes();
            stream.write_all(&refused).expect("sent");
            let response = client::read(&mut stream).expect("an answer");
            assert_eq!(response.status, 400, "{}", response.body);
            if !response.head.contains(CLOSES) {
                stream.write_all(&alert(n)).expect("sent");
                client::read(&mut stream).expect("an answer").expect(202, STORED);
            }
        }
    })
    .await;
}

#[tokio::test]
async fn an_idle_connection_of_a_proxy_is_closed_in_the_end() {
    let proxied = ["--runtime-mode", "development", "--trusted-proxies", "127.0.0.1"];
    let app = TestApp::start_with(&[&proxied[..], &["--keep-alive-secs", "2"]].concat()).await;
    let patient = TestApp::start_with(&proxied).await;
    // Without an end to its second request's head.
    let half = client::run(move || {
        let mut stream = client::connect(patient.port);
        stream.write_all(&alert(0)).expect("sent");
        client::read(&mut stream).expect("an answer").expect(202, STORED);
        stream.write_all(b"POST /sentry-bot/channel?id=42 HTTP/1.1\r\nHost: x\r\n").expect("sent");
        let started = Instant::now();
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
        (started.elapsed(), patient)
    });
    let idle = client::run(move || {
        let mut stream = client::connect(app.port);
        stream.write_all(&alert(0)).expect("sent");
        client::read(&mut stream).expect("an answer").expect(202, STORED);
        let started = Instant::now();
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
        (started.elapsed(), app)
    });
    let ((half, _), (idle, _)) = tokio::join!(half, idle);
    assert!(idle > Duration::from_secs(1) && idle < SOON, "{idle:?}");
    assert!(half < SOON, "{half:?}");
}

#[tokio::test]
async fn anybody_elses_connection_is_closed_and_what_follows_on_it_is_not_processed() {
    let app = TestApp::start_with(&["--runtime-mode", "development"]).await;
    let port = app.port;
    let said = client::run(move || {
        let mut stream = client::connect(port);
        stream.write_all(&[alert(0), alert(1), alert(2)].concat()).expect("sent");
        let mut said = Vec::new();
        let _ = stream.read_to_end(&mut said);
        String::from_utf8(said).expect("text").to_lowercase()
    })
    .await;
    assert_eq!(said.matches("http/1.1").count(), 1, "{said}");
    assert!(said.contains(CLOSES) && said.ends_with(STORED), "{said}");
    let projects: Vec<_> = app.alerts().await.into_iter().map(|alert| alert.project).collect();
    assert_eq!(projects, ["shop-0"]);
}
