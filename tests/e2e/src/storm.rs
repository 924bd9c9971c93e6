//! Many alerts: sent as Sentry sends them, or put straight on the bus.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use async_nats::{HeaderMap, header::NATS_MESSAGE_ID, jetstream};
use futures::{StreamExt as _, future::join_all, stream};
use rand::{Rng as _, rngs::StdRng};
use shared::{Alert, ChannelId, wire};

use crate::{Ledger, Stack};

/// Publishes under way at once.
const IN_FLIGHT: usize = 256;

/// Alerts for several channels at the same time, one after another in each.
#[derive(Debug, Clone, Copy)]
pub struct Storm<'a> {
    /// The channels to send to.
    pub channels: &'a [u64],
    /// The number of the first alert.
    pub first: usize,
    /// How many for each.
    pub each: usize,
    /// The share of alerts about one of three noisy issues.
    pub noisy: f64,
    /// The longest pause between two alerts of a channel.
    pub pause: Duration,
}

impl Storm<'_> {
    /// Sends them all, noting each in the ledger.
    pub async fn rage(self, stack: &Stack, ledger: &Ledger, seed: &crate::Seed) {
        let senders = self.channels.iter().zip(0..).map(|(&channel, stream)| {
            let mut rng = seed.rng(stream);
            async move {
                for number in self.first..self.first + self.each {
                    let title = self.title(number, &mut rng);
                    ledger.send(stack, channel, &title).await;
                    tokio::time::sleep(self.pause.mul_f64(rng.random())).await;
                }
            }
        });
        join_all(senders).await;
    }

    fn title(self, number: usize, rng: &mut StdRng) -> String {
        if rng.random_bool(self.noisy) {
            return format!("noise {}", rng.random_range(0..3));
        }
        format!("alert {number}")
    }
}

/// Puts alerts with these titles into the channel's queue, in this order. Much
/// faster than through the ingress, and possible while discord-service is dead.
pub async fn publish(stack: &Stack, channel: u64, titles: impl IntoIterator<Item = String>) {
    publish_alerts(stack, titles.into_iter().map(|title| alert(channel, &title))).await;
}

/// The same with alerts that a test made.
pub async fn publish_alerts(stack: &Stack, alerts: impl IntoIterator<Item = Alert>) {
    static PUBLISHED: AtomicU64 = AtomicU64::new(0);
    let js = jetstream::new(stack.nats.client().await);
    let acks = stream::iter(alerts).then(|alert| {
        let js = js.clone();
        async move {
            let (number, channel) = (PUBLISHED.fetch_add(1, Ordering::Relaxed), alert.channel);
            let mut headers = HeaderMap::new();
            headers.insert(NATS_MESSAGE_ID, format!("{channel}-test-{number}"));
            let subject = wire::alert_subject(alert.channel);
            js.publish_with_headers(subject, headers, alert.encode().into()).await.expect("NATS is up")
        }
    });
    let acks = acks.map(|ack| async move { ack.await.expect("JetStream stores it") });
    acks.buffered(IN_FLIGHT).for_each(|_| async {}).await;
}

/// An error of an issue of its own, received now.
pub fn alert(channel: u64, title: &str) -> Alert {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    let received_ms = i64::try_from(now.as_millis()).expect("before the year 292 million");
    Alert {
        title: Some(title.to_owned()),
        level: Some("error".to_owned()),
        culprit: Some("app/index.bundle in render".to_owned()),
        url: Some("https://acme.sentry.io/issues/1/".to_owned()),
        issue_id: Some(title.to_owned()),
        environment: Some("production".to_owned()),
        ..Alert::new("error", "backend-api", ChannelId::new(channel), received_ms)
    }
}
