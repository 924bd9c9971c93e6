//! Two pods of each service with a certificate that can be verified, an admin,
//! and Sentry.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_nats::jetstream;
use e2e::{Builder, Stack};
use harness::{
    authority::{Authority, ServerFiles},
    python,
    service::Service,
    wait::{SOON, wait_for},
};
use sandbox_discord::Message;
use sentry_sender::{Sender, Trust, Webhook, body::Exception};
use serde_json::Value;
use shared::wire;
use tempfile::TempDir;

pub(crate) const LONG: Duration = Duration::from_secs(30);
pub(crate) const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
pub(crate) const PUBLIC_URL: &str = "https://bot.example.com";

pub(crate) struct Scene {
    pub(crate) stack: Stack,
    pub(crate) discord: Service,
    ingress: (Service, u16),
    sender: Sender,
    /// The certificate's files.
    _files: TempDir,
}

impl Scene {
    pub(crate) async fn start() -> Self {
        let (authority, files) = (Authority::new(), tempfile::tempdir().expect("a directory"));
        let ServerFiles { certificate, key } = authority.server(files.path());
        let builder = Builder::default().discord("SECRETS_KEY", KEY).discord("PUBLIC_URL", PUBLIC_URL);
        let builder = builder.ingress("SECRETS_KEY", KEY);
        let builder = builder.ingress("TLS_CERT_FILE", certificate.display());
        let stack = builder.ingress("TLS_KEY_FILE", key.display()).start().await;
        let (discord, ingress) = (stack.add_discord(), stack.add_ingress());
        tokio::join!(discord.ready(), ingress.0.ready());
        let sender = Sender::new(Trust::Authorities(authority.pem())).expect("PEM");
        Self { stack, discord, ingress, sender, _files: files }
    }

    pub(crate) fn ports(&self) -> [u16; 2] {
        [self.stack.port, self.ingress.1]
    }

    /// Sends it to one ingress.
    pub(crate) async fn send(&self, port: u16, channel: u64, query: &str, webhook: &Webhook) -> u16 {
        let sent = self.sender.send(&Stack::url_at(port, channel, query), webhook).await;
        sent.expect("the ingress answers, and its certificate is good").status
    }

    /// Sends it to each ingress until the answer has this status. It is one
    /// firing, so it is posted once.
    pub(crate) async fn until(&self, status: u16, channel: u64, query: &str, webhook: &Webhook) {
        for port in self.ports() {
            wait_for(&format!("it is answered {status}"), SOON, || async {
                (self.send(port, channel, query, webhook).await == status).then_some(())
            })
            .await;
        }
    }

    /// Sends it to each ingress, which must refuse it.
    pub(crate) async fn refused(&self, channel: u64, query: &str, webhook: &Webhook) {
        for port in self.ports() {
            assert_eq!(self.send(port, channel, query, webhook).await, 401);
        }
    }

    /// Makes a new token. Returns what it adds to the channel's URL.
    pub(crate) async fn secure(&self, channel: u64) -> String {
        let reply = slash(&self.stack, "sentry channel secure", channel, &[]).await;
        let url = format!("`{PUBLIC_URL}/sentry-bot/channel?id={channel}");
        let (_, rest) = reply.content().split_once(&url).expect("the channel's URL");
        rest.split_once('`').expect("in a code span").0.to_owned()
    }

    /// Checks that no log contains a secret.
    pub(crate) fn assert_kept_secret(&self, secrets: &[&str]) {
        for service in [&self.stack.discord, &self.discord, &self.stack.ingress, &self.ingress.0] {
            let log = service.log();
            assert!(!log.is_empty() && secrets.iter().all(|secret| !log.contains(secret)), "{log}");
        }
    }
}

/// The reply to a slash command that takes this channel, which only the owner sees.
pub(crate) async fn slash(stack: &Stack, command: &str, channel: u64, more: &[(&str, &str)]) -> Message {
    let used = stack.invoke(command, channel, more).await;
    wait_for("what it says in the end", LONG, || async {
        let message = used.message(LONG).await.expect("a reply");
        // A token is handed out before it is in force.
        (!message.content().starts_with("Making a new token")).then_some(message)
    })
    .await
}

/// Stores a client secret. Returns the id of its key.
pub(crate) async fn hand_in(stack: &Stack, channel: u64, secret: &str) -> String {
    stack.hand_in_secret(channel, secret).await;
    let kept = mirrored(stack, channel).await;
    let newest = kept["secrets"].as_array().and_then(|secrets| secrets.last()).expect("a secret");
    newest["id"].as_str().expect("an id").to_owned()
}

/// What the mirror says about the channel.
pub(crate) async fn mirrored(stack: &Stack, channel: u64) -> Value {
    let js = jetstream::new(stack.nats.client().await);
    let bucket = js.get_key_value(wire::TRUST).await.expect("the bucket is there");
    let entry = bucket.get(channel.to_string()).await.expect("NATS is up").expect("it is mirrored");
    serde_json::from_slice(&entry).expect("JSON")
}

/// A legacy webhook.
pub(crate) fn legacy(title: &str) -> Webhook {
    Webhook::legacy(Exception::new(title).issue(title).json()).idempotency_key(title.replace(' ', "-"))
}

/// The body of an integration's webhook, whose last byte its JSON can do without.
pub(crate) fn body(title: &str) -> String {
    let path = harness::workspace_root().join("tests/fixtures/platform/event_alert.triggered.json");
    let text = std::fs::read(path).expect("the fixture is there");
    let mut body: Value = serde_json::from_slice(&text).expect("JSON");
    body["data"]["event"]["title"] = title.into();
    body["data"]["event"]["issue_id"] = title.into();
    format!("{body}\n")
}

/// An integration's webhook with this body, signed as Python does.
pub(crate) fn signed(body: &str, secret: &str) -> Webhook {
    with_signature(body, &python::signature(secret, body.as_bytes()))
}

pub(crate) fn with_signature(body: &str, signature: &str) -> Webhook {
    Webhook::platform("event_alert", body).header("Sentry-Hook-Signature", signature)
}

pub(crate) fn seconds_ago(seconds: u64) -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs() - seconds
}
