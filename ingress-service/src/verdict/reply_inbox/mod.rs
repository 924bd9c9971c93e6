//! Questions over NATS that may get no answer. The client's own table keeps
//! each request until its reply comes. In this table a request that stops
//! waiting is removed.

#[cfg(test)]
mod tests;

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

type AwaitedReplies = Arc<Mutex<HashMap<u64, oneshot::Sender<Message>>>>;

/// Asks questions, and gets all replies on one subscription.
#[derive(Debug)]
pub(crate) struct ReplyInbox {
    nats: Client,
    inbox: String,
    waiting: AwaitedReplies,
    next: AtomicU64,
    _listener: AbortOnDropHandle<()>,
}

/// An entry of the table. It is removed when this is dropped.
struct AwaitedReply<'a> {
    waiting: &'a AwaitedReplies,
    number: u64,
}

impl Drop for AwaitedReply<'_> {
    fn drop(&mut self) {
        lock(self.waiting).remove(&self.number);
    }
}

impl ReplyInbox {
    /// Subscribes, also while NATS is away.
    ///
    /// # Errors
    /// When the client has ended.
    pub(crate) async fn listen(nats: Client) -> anyhow::Result<Self> {
        let inbox = nats.new_inbox();
        let replies =
            nats.subscribe(format!("{inbox}.*")).await.context("cannot subscribe to the replies")?;
        let waiting = AwaitedReplies::default();
        let listener = AbortOnDropHandle::new(tokio::spawn(deliver(replies, Arc::clone(&waiting))));
        Ok(Self { nats, inbox, waiting, next: AtomicU64::new(0), _listener: listener })
    }

    /// The reply; `None` when nobody listens there. It waits for ever if nobody
    /// replies: drop the future to stop.
    pub(crate) async fn ask(&self, subject: &'static str, question: Bytes) -> Option<Message> {
        let number = self.next.fetch_add(1, Relaxed);
        let (sender, receiver) = oneshot::channel();
        lock(&self.waiting).insert(number, sender);
        let _slot = AwaitedReply { waiting: &self.waiting, number };
        let reply = format!("{}.{number}", self.inbox);
        self.nats.publish_with_reply(subject, reply, question).await.ok()?;
        receiver.await.ok().filter(|message| message.status != Some(StatusCode::NO_RESPONDERS))
    }
}

async fn deliver(mut replies: Subscriber, waiting: AwaitedReplies) {
    while let Some(message) = replies.next().await {
        let number = message.subject.rsplit('.').next().and_then(|number| number.parse().ok());
        if let Some(sender) = number.and_then(|number: u64| lock(&waiting).remove(&number)) {
            let _ = sender.send(message);
        }
    }
}

fn lock(waiting: &AwaitedReplies) -> MutexGuard<'_, HashMap<u64, oneshot::Sender<Message>>> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}
