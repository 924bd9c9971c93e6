//! Single messages of a stream, as the stream's leader has them. Where a replica may
//! answer instead, see [`crate::direct_get`].

use anyhow::Context as _;
use async_nats::jetstream::{
    self,
    message::StreamMessage,
    stream::{RawMessageError, RawMessageErrorKind, Stream},
};
use futures::TryStreamExt as _;

/// Asks a stream's leader.
pub(crate) struct LeaderStream(Stream<()>);

impl LeaderStream {
    /// The stream of this name. Costs no request.
    pub(crate) async fn new(js: &jetstream::Context, name: &str) -> anyhow::Result<Self> {
        let stream = js.get_stream_no_info(name).await;
        Ok(Self(stream.with_context(|| format!("cannot use the stream {name}"))?))
    }

    /// The message with this sequence.
    pub(crate) async fn get(&self, sequence: u64) -> anyhow::Result<Option<StreamMessage>> {
        found(self.0.get_raw_message(sequence).await)
    }

    /// The first message on these subjects from this sequence on.
    pub(crate) async fn first(&self, subjects: &str, from: u64) -> anyhow::Result<Option<StreamMessage>> {
        found(self.0.get_first_raw_message_by_subject(subjects, from).await)
    }

    /// The last message on these subjects.
    pub(crate) async fn last(&self, subjects: &str) -> anyhow::Result<Option<StreamMessage>> {
        found(self.0.get_last_raw_message_by_subject(subjects).await)
    }

    /// How many messages are on these subjects.
    pub(crate) async fn count(&self, subjects: &str) -> anyhow::Result<u64> {
        let cannot = "cannot count the messages of a stream";
        let counts = self.0.info_with_subjects(subjects).await.context(cannot)?;
        let counts: Vec<(String, usize)> = counts.try_collect().await.context(cannot)?;
        Ok(counts.iter().map(|(_, count)| *count as u64).sum())
    }
}

fn found(answer: Result<StreamMessage, RawMessageError>) -> anyhow::Result<Option<StreamMessage>> {
    match answer {
        Ok(message) => Ok(Some(message)),
        Err(error) if error.kind() == RawMessageErrorKind::NoMessageFound => Ok(None),
        Err(error) => Err(error).context("cannot read from a stream"),
    }
}
