//! Sends as Sentry does: a new connection each time, one attempt, short time
//! limits.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use reqwest::{Certificate, Client, header::RETRY_AFTER, redirect::Policy};

use crate::webhook::Webhook;

/// Whose certificates the sender accepts for webhooks of the Integration
/// Platform and of other senders. Sentry verifies none for legacy webhooks.
#[derive(Debug, Clone, Default)]
pub enum Trust {
    /// Certificates of the system's authorities, as for Sentry.
    #[default]
    System,
    /// These authorities too, in PEM.
    Authorities(Vec<u8>),
    /// Any, also a self-signed one.
    Anyone,
}

/// The answer to a webhook.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The body, as text.
    pub body: String,
    /// `Retry-After`, which Sentry ignores.
    pub retry_after: Option<String>,
    /// From the first byte of the TLS handshake to the last of the answer.
    pub latency: Duration,
}

impl Reply {
    /// Whether Sentry counts the alert as taken.
    pub const fn is_success(&self) -> bool {
        self.status >= 200 && self.status < 300
    }
}

/// There was no answer. Sentry does not repeat the webhook, so the alert is
/// lost.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// No answer within Sentry's time limit.
    #[error("no answer within {0:?}, which is as long as Sentry waits")]
    Timeout(Duration),
    /// No connection, an untrusted one, or one that broke.
    #[error(transparent)]
    Failed(#[from] anyhow::Error),
}

/// Sends webhooks. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Sender {
    legacy: Client,
    verifying: Client,
}

impl Sender {
    /// A sender that trusts these certificates.
    ///
    /// # Errors
    /// When the authorities are not PEM, or the TLS library cannot be set up.
    pub fn new(trust: Trust) -> anyhow::Result<Self> {
        let client = || {
            Client::builder()
                .http1_only()
                // Sentry keeps no connection, so every webhook needs a
                // handshake.
                .pool_max_idle_per_host(0)
                .redirect(Policy::none())
                .no_proxy()
        };
        let verifying = match trust {
            Trust::System => client(),
            Trust::Authorities(pem) => {
                client().tls_certs_merge(Certificate::from_pem_bundle(&pem).context("not a PEM file")?)
            }
            Trust::Anyone => client().tls_danger_accept_invalid_certs(true),
        };
        let legacy = client().tls_danger_accept_invalid_certs(true);
        Ok(Self { legacy: legacy.build()?, verifying: verifying.build()? })
    }

    /// Sends the webhook once.
    ///
    /// # Errors
    /// [`SendError`] when no complete answer came. A refusal is a [`Reply`].
    pub async fn send(&self, url: &str, webhook: &Webhook) -> Result<Reply, SendError> {
        let client = if webhook.is_verifying() { &self.verifying } else { &self.legacy };
        let timeout = webhook.timeout();
        let mut request = client.post(url).timeout(timeout).body(webhook.body().to_vec());
        for (name, value) in webhook.headers()? {
            request = request.header(name, value);
        }
        let failed = |error: reqwest::Error| {
            if error.is_timeout() {
                SendError::Timeout(timeout)
            } else {
                SendError::Failed(anyhow::Error::from(error.without_url()))
            }
        };
        let start = Instant::now();
        let response = request.send().await.map_err(failed)?;
        let status = response.status().as_u16();
        let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        let retry_after = retry_after.map(str::to_owned);
        let body = response.text().await.map_err(failed)?;
        Ok(Reply { status, body, retry_after, latency: start.elapsed() })
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };

    use super::*;

    /// Starts a server that answers `answer` once for each connection. Returns
    /// its URL, and a task with the requests of this many connections.
    async fn server(
        answer: &'static str,
        connections: usize,
    ) -> (String, tokio::task::JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
        let url = format!("http://{}/", listener.local_addr().expect("an address"));
        let requests = tokio::spawn(async move {
            let mut requests = Vec::new();
            for _ in 0..connections {
                let (mut stream, _) = listener.accept().await.expect("a connection");
                let mut bytes = Vec::new();
                while !bytes.ends_with(b"{}") {
                    let read = stream.read_buf(&mut bytes).await.expect("a request");
                    assert!(read > 0, "the request ended early");
                }
                stream.write_all(answer.as_bytes()).await.expect("to answer");
                requests.push(String::from_utf8(bytes).expect("text"));
            }
            requests
        });
        (url, requests)
    }

    #[tokio::test]
    async fn every_request_has_a_connection_of_its_own() {
        let (url, requests) = server("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", 2).await;
        let sender = Sender::new(Trust::System).expect("a sender");
        let webhook = Webhook::legacy("{}").header("X-Test", "1");
        for _ in 0..2 {
            let reply = sender.send(&url, &webhook).await.expect("an answer");
            assert_eq!((reply.status, reply.body.as_str()), (200, "hi"));
            assert!(reply.is_success());
        }
        let requests = requests.await.expect("both requests");
        assert!(requests.iter().all(|request| request.contains("x-test: 1\r\n")), "{requests:?}");
    }

    #[tokio::test]
    async fn a_redirect_is_an_answer_and_not_followed() {
        let (url, requests) =
            server("HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n", 1).await;
        let sender = Sender::new(Trust::System).expect("a sender");
        let reply = sender.send(&url, &Webhook::legacy("{}")).await.expect("an answer");
        assert_eq!((reply.status, reply.is_success()), (302, false));
        assert_eq!(requests.await.expect("one request").len(), 1);
    }

    #[tokio::test]
    async fn silence_ends_at_the_limit_of_sentry() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
        let url = format!("http://{}/", listener.local_addr().expect("an address"));
        let sender = Sender::new(Trust::System).expect("a sender");
        let error = sender.send(&url, &Webhook::platform("issue", "{}")).await.expect_err("no answer");
        assert!(matches!(error, SendError::Timeout(limit) if limit == Duration::from_secs(1)), "{error:?}");
    }
}
