//! The addresses that Sentry publishes. discord-service reads them, NATS keeps
//! them, and the ingress believes them.

use std::sync::{Arc, Mutex};

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, http::StatusCode, web};
use e2e::Stack;
use harness::{
    authority::Authority,
    wait::{SOON, wait_for},
};
use openssl::ssl::{SslAcceptor, SslFiletype, SslMethod};
use sentry_sender::{Webhook, body::Exception};
use serde_json::json;

/// What the publisher answers now.
type Answer = Arc<Mutex<(StatusCode, Option<String>, String)>>;

/// Publishes over HTTP, or over TLS with a certificate of this authority.
struct Publisher {
    port: u16,
    answer: Answer,
}

impl Publisher {
    fn start(authority: Option<&Authority>) -> Self {
        let answer: Answer = Arc::default();
        let given = answer.clone();
        let server = HttpServer::new(move || {
            let given = given.clone();
            let answer = move |request: HttpRequest| {
                let (status, location, body) = given.lock().expect("no panic while held").clone();
                // The list itself is where a redirect within the host leads.
                let moved = location.filter(|_| request.path() == "/ranges");
                let mut response =
                    HttpResponse::build(if moved.is_some() { StatusCode::FOUND } else { status });
                if let Some(location) = moved {
                    response.insert_header(("Location", location));
                }
                async move { response.body(body) }
            };
            App::new().default_service(web::to(answer))
        });
        let server = server.workers(1).disable_signals();
        let server = match authority {
            None => server.bind("127.0.0.1:0"),
            Some(authority) => {
                let directory = tempfile::tempdir().expect("a directory");
                let files = authority.server(directory.path());
                let mut tls = SslAcceptor::mozilla_intermediate(SslMethod::tls()).expect("an acceptor");
                tls.set_certificate_chain_file(&files.certificate).expect("a certificate");
                tls.set_private_key_file(&files.key, SslFiletype::PEM).expect("a key");
                server.bind_openssl("127.0.0.1:0", tls)
            }
        };
        let server = server.expect("loopback has a free port");
        let port = server.addrs()[0].port();
        tokio::spawn(server.run());
        Self { port, answer }
    }

    fn answer(&self, status: u16, location: Option<String>, body: impl Into<String>) {
        let status = StatusCode::from_u16(status).expect("a status");
        *self.answer.lock().expect("no panic while held") = (status, location, body.into());
    }

    fn publish(&self, networks: &[&str]) {
        self.answer(200, None, list(networks));
    }
}

fn list(networks: &[&str]) -> String {
    json!({"data": {"outbound_requests": {"moon": networks}}}).to_string()
}

async fn start(url: &str) -> Stack {
    Stack::builder()
        .ingress("RUNTIME_MODE", "production")
        .ingress("TRUSTED_PROXIES", "127.0.0.1")
        .discord("SENTRY_IP_RANGES_URL", url)
        .start()
        .await
}

/// Whether a webhook from this address is accepted.
async fn lets_in(stack: &Stack, channel: u64, address: &str) -> bool {
    let body = Exception::new(address).json();
    let webhook = Webhook::legacy(body).header("X-Forwarded-For", format!("\"{address}:51008\""));
    let status = stack.send(channel, &webhook).await.status;
    assert!(matches!(status, 200 | 202 | 403), "{status}");
    status != 403
}

async fn until_let_in(stack: &Stack, channel: u64, address: &str) {
    wait_for(&format!("{address} may send"), SOON, || async {
        lets_in(stack, channel, address).await.then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_region_of_sentrys_may_send_and_a_list_that_cannot_be_sentrys_changes_nothing() {
    let (publisher, elsewhere) = (Publisher::start(None), Publisher::start(None));
    publisher.publish(&["203.0.113.7/32", "198.51.100.7/32", "34.125.65.3/32/32"]);
    elsewhere.publish(&["192.0.2.1/32"]);
    let mut stack = start(&format!("http://127.0.0.1:{}/ranges", publisher.port)).await;
    let channel = stack.authorized_channel("alerts").await;
    until_let_in(&stack, channel, "203.0.113.7").await;
    assert!(lets_in(&stack, channel, "198.51.100.7").await && !lets_in(&stack, channel, "192.0.2.1").await);
    assert_eq!(stack.discord.metric("sentry_bot_sentry_addresses").await, 2.0);
    assert!(stack.discord.metric("sentry_bot_sentry_addresses_age_seconds").await < 60.0);
    assert!(stack.discord.log().contains("skipped an entry of Sentry's addresses"));

    let other = format!("http://127.0.0.1:{}/ranges", elsewhere.port);
    let long = list(&["192.0.2.1/32"]) + &" ".repeat(64 << 10);
    for (status, location, body) in [
        (200, None, list(&["192.0.2.1/32", "10.0.0.1/32"])),
        (200, None, list(&["192.0.2.1/32", "0.0.0.0/0"])),
        (200, None, list(&[])),
        (200, None, list(&["192.0.2.1/32"; 257])),
        (200, None, long),
        (500, None, list(&["192.0.2.1/32"])),
        (200, Some(other), list(&["192.0.2.1/32"])),
    ] {
        publisher.answer(status, location, body);
        stack.discord.restart();
        stack.discord.ready().await;
        wait_for("the list is refused", SOON, || async {
            (stack.discord.metric("sentry_bot_sentry_addresses_failures_total").await == 1.0).then_some(())
        })
        .await;
        wait_for("the copy is known", SOON, || async {
            (stack.discord.metric("sentry_bot_sentry_addresses").await == 2.0).then_some(())
        })
        .await;
    }
    assert!(!lets_in(&stack, channel, "192.0.2.1").await && lets_in(&stack, channel, "203.0.113.7").await);

    // It may move within the host. A network that vanished from it may still
    // send.
    publisher.answer(200, Some("/moved".to_owned()), list(&["192.0.2.1/32"]));
    stack.discord.restart();
    until_let_in(&stack, channel, "192.0.2.1").await;
    assert!(lets_in(&stack, channel, "203.0.113.7").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_publisher_is_believed_only_with_a_certificate_that_is_verified() {
    let authority = Authority::new();
    let publisher = Publisher::start(Some(&authority));
    publisher.publish(&["203.0.113.7/32"]);
    let url = format!("https://127.0.0.1:{}/ranges", publisher.port);
    let stack = start(&url).await;
    wait_for("the list is refused", SOON, || async {
        (stack.discord.metric("sentry_bot_sentry_addresses_failures_total").await == 1.0).then_some(())
    })
    .await;
    let channel = stack.authorized_channel("alerts").await;
    assert!(!lets_in(&stack, channel, "203.0.113.7").await);
    drop(stack);

    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), authority.pem()).expect("written");
    let stack = Stack::builder()
        .discord("SENTRY_IP_RANGES_URL", &url)
        .discord("SSL_CERT_FILE", file.path().display())
        .start()
        .await;
    wait_for("the list is read", SOON, || async {
        (stack.discord.metric("sentry_bot_sentry_addresses").await == 1.0).then_some(())
    })
    .await;
}
