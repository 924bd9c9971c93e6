//! Sending webhooks as Sentry does.

use std::sync::atomic::{AtomicU64, Ordering};

use harness::wait::{SOON, wait_for};
use sentry_sender::{Reply, Webhook};

use super::Stack;

impl Stack {
    /// The webhook URL of a channel. `more` follows in the query.
    pub fn url(&self, channel: u64, more: &str) -> String {
        Self::url_at(self.port, channel, more)
    }

    /// The same at another pod's port.
    pub fn url_at(port: u16, channel: u64, more: &str) -> String {
        format!("https://127.0.0.1:{port}/sentry-bot/channel?id={channel}{more}")
    }

    /// Sends a webhook as Sentry does.
    pub async fn send(&self, channel: u64, webhook: &Webhook) -> Reply {
        self.send_to(&self.url(channel, ""), webhook).await
    }

    /// Sends a webhook to a URL of [`Stack::url`].
    pub async fn send_to(&self, url: &str, webhook: &Webhook) -> Reply {
        self.sender.send(url, webhook).await.expect("the ingress answers")
    }

    /// Sends a webhook until it is answered with 200. On a busy machine a
    /// verdict or NATS may be late (202, 503). All attempts are one firing,
    /// stored once.
    pub async fn accepted(&self, channel: u64, webhook: &Webhook) -> Reply {
        self.accepted_at(&self.url(channel, ""), webhook).await
    }

    /// The same to a URL of [`Stack::url`].
    pub async fn accepted_at(&self, url: &str, webhook: &Webhook) -> Reply {
        static FIRINGS: AtomicU64 = AtomicU64::new(0);
        let firing = webhook.clone().idempotency_key(FIRINGS.fetch_add(1, Ordering::Relaxed).to_string());
        wait_for("it is accepted", SOON, || async {
            let reply = self.send_to(url, &firing).await;
            assert!(matches!(reply.status, 200 | 202 | 503), "{reply:?}");
            (reply.status == 200).then_some(reply)
        })
        .await
    }

    /// Sends a webhook as Sentry does. `None` if no answer came in time.
    pub async fn try_send(&self, channel: u64, webhook: &Webhook) -> Option<Reply> {
        self.try_send_to(&self.url(channel, ""), webhook).await
    }

    /// The same to any URL.
    pub async fn try_send_to(&self, url: &str, webhook: &Webhook) -> Option<Reply> {
        self.sender.send(url, webhook).await.ok()
    }
}
