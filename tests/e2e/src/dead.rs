//! The dead letters in NATS, read without the code under test.

use std::time::Duration;

use async_nats::jetstream;
use harness::wait::wait_for;
use serde_json::Value;
use shared::wire;

use crate::Stack;

/// A channel may be closed for a while before its dead letters follow.
const LONG: Duration = Duration::from_secs(60);

/// One dead letter.
#[derive(Debug, Clone)]
pub struct Dead {
    /// The last token of its subject.
    pub channel: String,
    /// The reason as a token.
    pub reason: String,
    /// The reason in words.
    pub detail: String,
    /// Whether Discord may show it nevertheless.
    pub may_have_been_posted: bool,
    /// The alert's title. `None` if it was not an alert.
    pub title: Option<String>,
    /// What kind of alert it was.
    pub kind: Option<String>,
}

impl Stack {
    /// All dead letters, oldest first.
    pub async fn dead_letters(&self) -> Vec<Dead> {
        let js = jetstream::new(self.nats.client().await);
        let mut stream = js.get_stream(wire::DEAD_LETTERS).await.expect("the stream exists");
        let state = stream.info().await.expect("NATS answers").state.clone();
        let mut dead = Vec::new();
        for sequence in state.first_sequence..=state.last_sequence {
            if let Ok(message) = stream.get_raw_message(sequence).await {
                dead.push(read(&message.subject, &message.payload));
            }
        }
        dead
    }

    /// Waits until there are exactly `count` dead letters.
    pub async fn until_dead(&self, count: usize) {
        wait_for(&format!("{count} dead letters"), LONG, || async {
            (self.dead_letters().await.len() == count).then_some(())
        })
        .await;
    }
}

fn read(subject: &str, payload: &[u8]) -> Dead {
    let letter: Value = serde_json::from_slice(payload).expect("a dead letter is JSON");
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let reason = text(&letter["reason"]).expect("a dead letter has a reason");
    let tokens: Vec<&str> = subject.split('.').collect();
    assert_eq!(tokens[..2], ["dead", reason.as_str()], "the subject says the reason");
    Dead {
        channel: tokens[2].to_owned(),
        reason,
        detail: text(&letter["detail"]).expect("a dead letter says why in words"),
        may_have_been_posted: letter["may_have_been_posted"] == true,
        title: text(&letter["alert"]["title"]),
        kind: text(&letter["alert"]["kind"]),
    }
}
