//! Answers verdicts as discord-service would.

use std::sync::{Arc, Mutex};

use futures::StreamExt as _;
use shared::{
    verdict::{Verdict, VerdictRequest},
    wire,
};
use tokio_util::task::AbortOnDropHandle;

/// A verdict responder; it stops when dropped.
#[derive(Debug)]
pub struct Verdicts {
    asked: Arc<Mutex<Vec<VerdictRequest>>>,
    _task: AbortOnDropHandle<()>,
}

impl Verdicts {
    /// Answers each question with `decide`'s verdict; `None` leaves it unanswered.
    pub async fn start(
        nats: async_nats::Client,
        decide: impl Fn(&VerdictRequest) -> Option<Verdict> + Send + 'static,
    ) -> Self {
        let mut questions =
            nats.queue_subscribe(wire::VERDICT, wire::VERDICT_GROUP.into()).await.expect("a subscription");
        nats.flush().await.expect("NATS is there");
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        let task = tokio::spawn(async move {
            while let Some(message) = questions.next().await {
                let question = serde_json::from_slice(&message.payload).expect("a question");
                let verdict = decide(&question);
                log.lock().expect("not poisoned").push(question);
                if let (Some(verdict), Some(reply)) = (verdict, message.reply) {
                    let verdict = serde_json::to_vec(&verdict).expect("a verdict serializes");
                    nats.publish(reply, verdict.into()).await.expect("NATS is there");
                }
            }
        });
        Self { asked, _task: AbortOnDropHandle::new(task) }
    }

    /// Every question so far.
    pub fn asked(&self) -> Vec<VerdictRequest> {
        self.asked.lock().expect("not poisoned").clone()
    }
}
