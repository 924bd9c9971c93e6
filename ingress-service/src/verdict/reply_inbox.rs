//! Questions over NATS of which some are never answered. The client's own table
//! of requests keeps each until its reply comes; here whoever stops waiting takes
//! the slot along.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use actix_web::web::Bytes;
use anyhow::Context as _;
use async_nats::{Client, Message, StatusCode, Subscriber};

use futures::StreamExt as _;
use tokio::sync::oneshot;
use tokio_util::task::AbortOnDropHandle;

type Waiting = Arc<Mutex<HashMap<u64, oneshot::Sender<Message>>>>;

/// Asks, and hears the replies on one subscription.
#[derive(Debug)]
pub(crate) struct Replies {
    nats: Client,
    inbox: String,
    waiting: Waiting,
    next: AtomicU64,
    _listener: AbortOnDropHandle<()>,
}

/// The place in the table of one who waits.
struct Slot<'a> {
    waiting: &'a Waiting,
    number: u64,
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        lock(self.waiting).remove(&self.number);
    }
}

impl Replies {
    /// Subscribes, also while NATS is away.
    ///
    /// # Errors
    /// When the client has ended.
    pub(crate) async fn listen(nats: Client) -> anyhow::Result<Self> {
        let inbox = nats.new_inbox();
        let replies = nats.subscribe(format!("{inbox}.*")).await.context("Failed to listen for replies")?;
        let waiting = Waiting::default();
        let listener = AbortOnDropHandle::new(tokio::spawn(deliver(replies, Arc::clone(&waiting))));
        Ok(Self { nats, inbox, waiting, next: AtomicU64::new(0), _listener: listener })
    }

    /// The reply; `None` when nobody listens there. Waits for ever where nobody
    /// replies: drop the future to stop.
    pub(crate) async fn ask(&self, subject: &'static str, question: Bytes) -> Option<Message> {
        let number = self.next.fetch_add(1, Relaxed);
        let (sender, receiver) = oneshot::channel();
        lock(&self.waiting).insert(number, sender);
        let _slot = Slot { waiting: &self.waiting, number };
        let reply = format!("{}.{number}", self.inbox);
        self.nats.publish_with_reply(subject, reply, question).await.ok()?;
        receiver.await.ok().filter(|message| message.status != Some(StatusCode::NO_RESPONDERS))
    }
}

async fn deliver(mut replies: Subscriber, waiting: Waiting) {
    while let Some(message) = replies.next().await {
        let number = message.subject.rsplit('.').next().and_then(|number| number.parse().ok());
        if let Some(sender) = number.and_then(|number: u64| lock(&waiting).remove(&number)) {
            let _ = sender.send(message);
        }
    }
}

fn lock(waiting: &Waiting) -> MutexGuard<'_, HashMap<u64, oneshot::Sender<Message>>> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use harness::nats::NatsServer;
    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn replies_find_those_who_asked_and_silence_leaves_nothing_behind() {
        let nats = NatsServer::start().await;
        let replies = Replies::listen(nats.client().await).await.expect("a subscription");
        assert!(replies.ask("nobody", "?".into()).await.is_none(), "nobody listens");

        let server = nats.client().await;
        let mut silent = server.subscribe("silent").await.expect("a subscription");
        let mut echo = server.subscribe("echo").await.expect("a subscription");
        server.flush().await.expect("NATS is there");
        let answering = async {
            while let Some(message) = echo.next().await {
                let reply = message.reply.expect("a place for the reply");
                server.publish(reply, message.payload).await.expect("NATS is there");
            }
        };
        let asking = async {
            for question in ["a", "b"] {
                let reply = replies.ask("echo", question.into()).await.expect("a reply");
                assert_eq!(reply.payload, question.as_bytes());
            }
            for _ in 0..50 {
                let reply = timeout(Duration::from_millis(1), replies.ask("silent", "?".into())).await;
                assert!(reply.is_err(), "nobody replied");
            }
        };
        tokio::select! { () = answering => {}, () = asking => {} }
        assert!(silent.next().await.is_some(), "it was asked");
        assert!(lock(&replies.waiting).is_empty());
    }
}
