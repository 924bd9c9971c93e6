//! Reading many messages of a stream with one request.

use std::time::Duration;

use anyhow::{Context as _, bail};
use async_nats::{
    HeaderMap, Request, StatusCode,
    jetstream::{self, message::StreamMessage},
};
use bytes::Bytes;
use futures::StreamExt as _;
use serde_json::json;
use shared::{Alert, alert::DecodeError, trace::TracePoint};
use tokio::time::timeout;

use crate::delivery::HOP_PREFIX;

/// Messages read at once at most; JetStream's own limit is 1,000.
pub(crate) const BATCH: usize = 500;
/// Bytes read at once, so that a client's buffer cannot overflow.
const BATCH_BYTES: usize = 4 << 20;
/// How long JetStream may be silent within a batch.
const PATIENCE: Duration = Duration::from_secs(3);

/// A message of a stream.
#[derive(Debug)]
pub(crate) struct StoredMessage {
    /// Its sequence in the stream.
    pub(crate) sequence: u64,
    /// Its payload, unread.
    pub(crate) payload: Bytes,
    /// The trace that its headers name.
    pub(crate) trace: Option<TracePoint>,
    /// Its id, if a rule of another channel sent it.
    pub(crate) hop_id: Option<String>,
}

impl From<StreamMessage> for StoredMessage {
    fn from(message: StreamMessage) -> Self {
        Self::new(message.sequence, &message.headers, message.payload)
    }
}

impl StoredMessage {
    pub(crate) fn new(sequence: u64, headers: &HeaderMap, payload: Bytes) -> Self {
        let header = |name| headers.get(name).map(|value| value.as_str());
        let hop_id = header("Nats-Msg-Id").filter(|id| id.starts_with(HOP_PREFIX));
        let hop_id = hop_id.map(ToOwned::to_owned);
        Self { sequence, payload, trace: TracePoint::from_headers(header), hop_id }
    }

    /// The alert that it is.
    ///
    /// # Errors
    /// [`DecodeError`] when it is none that this build can read.
    pub(crate) fn alert(&self) -> Result<Alert, DecodeError> {
        Ok(Alert { trace: self.trace, ..Alert::decode(&self.payload)? })
    }
}

/// What one request gave.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// In order.
    pub(crate) messages: Vec<StoredMessage>,
    /// Whether more stood behind them when they were read.
    pub(crate) more: bool,
}

/// Which messages to read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BatchRequest<'a> {
    pub(crate) stream: &'a str,
    /// It may have wildcards.
    pub(crate) subject: &'a str,
    /// The lowest sequence.
    pub(crate) from: u64,
    /// [`BATCH`] is the limit in any case.
    pub(crate) most: usize,
}

/// The next messages in order. There may be more than these. Any replica may
/// answer. One request, many answers, ended by status 204 (NATS ADR-31);
/// async-nats has no such call.
pub(crate) async fn read(
    js: &jetstream::Context,
    BatchRequest { stream, subject, from, most }: BatchRequest<'_>,
) -> anyhow::Result<Batch> {
    let client = js.client();
    let inbox = client.new_inbox();
    let mut answers = client.subscribe(inbox.clone()).await.context("cannot subscribe to a batch")?;
    let question = json!({"seq": from.max(1), "next_by_subj": subject, "batch": most.min(BATCH), "max_bytes": BATCH_BYTES});
    let request = Request::new().payload(question.to_string().into()).inbox(inbox);
    js.send_request(format!("DIRECT.GET.{stream}"), request).await.context("cannot ask for a batch")?;
    let mut batch = Batch::default();
    loop {
        let answer = timeout(PATIENCE, answers.next()).await.context("a batch timed out")?;
        let answer = answer.context("the connection closed within a batch")?;
        match answer.status {
            None | Some(StatusCode::OK) => {}
            // Nothing there.
            Some(status) if status.as_u16() == 404 => return Ok(batch),
            // The end of the batch.
            Some(status) if status.as_u16() == 204 => {
                let pending = answer.headers.as_ref().and_then(|headers| headers.get("Nats-Num-Pending"));
                batch.more = pending.is_none_or(|pending| pending.as_str() != "0");
                return Ok(batch);
            }
            Some(status) => bail!("JetStream answered {status}: {}", answer.description.unwrap_or_default()),
        }
        let headers = answer.headers.context("a message of a batch has no headers")?;
        batch.messages.push(StoredMessage::new(sequence(&headers)?, &headers, answer.payload));
    }
}

fn sequence(headers: &HeaderMap) -> anyhow::Result<u64> {
    let value = headers.get("Nats-Sequence").context("a message of a batch has no sequence")?;
    value.as_str().parse().context("a message of a batch has an unreadable sequence")
}
