//! What rules put on the bus, read and repeated without the code under test.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_nats::{HeaderMap, Message, header::NATS_MESSAGE_ID, jetstream};
use e2e::Stack;
use futures::StreamExt as _;
use harness::wait::wait_for;
use shared::{ChannelId, wire};
use tokio::{task::JoinHandle, time::sleep};

use crate::scene::LONG;

/// The least that NATS takes as the window in which it drops a second copy of an id.
const LEAST_WINDOW: Duration = Duration::from_millis(100);

/// Every copy that a rule sends to a channel, from now on.
#[derive(Debug)]
pub(crate) struct Copies {
    seen: Arc<AtomicUsize>,
    kept: Arc<Mutex<Vec<Message>>>,
    following: JoinHandle<()>,
}

impl Copies {
    pub(crate) async fn follow(stack: &Stack, target: u64) -> Self {
        let client = stack.nats.client().await;
        let subject = wire::alert_subject(ChannelId::new(target));
        let mut published = client.subscribe(subject).await.expect("NATS is there");
        client.flush().await.expect("NATS is there");
        let (seen, kept) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Vec::new())));
        let following = tokio::spawn({
            let (seen, kept) = (Arc::clone(&seen), Arc::clone(&kept));
            async move {
                // The client lives as long as this does.
                let _client = client;
                while let Some(message) = published.next().await {
                    if is_copy(&message) {
                        kept.lock().expect("no panic while held").push(message);
                        seen.fetch_add(1, Ordering::Relaxed);
                    }
                }
            }
        });
        Self { seen, kept, following }
    }

    /// How many were published.
    pub(crate) fn seen(&self) -> usize {
        self.seen.load(Ordering::Relaxed)
    }

    /// Waits for more than so many, without a pause, to hit the very moment.
    pub(crate) async fn until_more_than(&self, count: usize) {
        let waiting = async {
            while self.seen() <= count {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(LONG, waiting).await.expect("copies are published");
    }

    /// Publishes all of them again, exactly as they were.
    pub(crate) async fn repeat(&self, stack: &Stack) {
        let js = jetstream::new(stack.nats.client().await);
        let kept = self.kept.lock().expect("no panic while held").clone();
        assert!(!kept.is_empty());
        for message in kept {
            let mut headers = HeaderMap::new();
            for (name, values) in message.headers.iter().flat_map(HeaderMap::iter) {
                values.iter().for_each(|value| headers.append(name.clone(), value.clone()));
            }
            let stored = js.publish_with_headers(message.subject, headers, message.payload).await;
            let stored = stored.expect("NATS is up").await.expect("JetStream stores it");
            assert!(!stored.duplicate, "JetStream's window has passed");
        }
    }
}

impl Drop for Copies {
    fn drop(&mut self) {
        self.following.abort();
    }
}

fn is_copy(message: &Message) -> bool {
    let headers = message.headers.as_ref();
    headers
        .and_then(|headers| headers.get(NATS_MESSAGE_ID))
        .is_some_and(|id| id.as_str().starts_with("route."))
}

/// Keeps JetStream's window of ids at its least for as long as it lives. The services set
/// the usual window again whenever they start.
#[derive(Debug)]
pub(crate) struct NoWindow(JoinHandle<()>);

impl NoWindow {
    pub(crate) async fn keep(stack: &Stack) -> Self {
        let client = stack.nats.client().await;
        shrink(&client).await;
        Self(tokio::spawn(async move {
            loop {
                shrink(&client).await;
                sleep(LEAST_WINDOW).await;
            }
        }))
    }

    /// Waits until JetStream has forgotten every id of now.
    pub(crate) async fn passes(&self, stack: &Stack) {
        let js = jetstream::new(stack.nats.client().await);
        wait_for("the window is small", LONG, || async {
            let stream = js.get_stream(wire::ALERTS).await.ok()?;
            (stream.cached_info().config.duplicate_window == LEAST_WINDOW).then_some(())
        })
        .await;
        sleep(2 * LEAST_WINDOW).await;
    }
}

impl Drop for NoWindow {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// NATS may be away.
async fn shrink(client: &async_nats::Client) {
    let js = jetstream::new(client.clone());
    let Ok(stream) = js.get_stream(wire::ALERTS).await else { return };
    let mut config = stream.cached_info().config.clone();
    if config.duplicate_window != LEAST_WINDOW {
        config.duplicate_window = LEAST_WINDOW;
        let _ = js.update_stream(&config).await;
    }
}
