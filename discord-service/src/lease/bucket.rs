//! The KV bucket `leases`, spoken to as the stream that it is: only so can a key
//! have a life of its own, and only so does the stream's leader answer, where a
//! replica may lag.
//!
//! | key | what | life |
//! |---|---|---|
//! | `pod.<id>` | a pod that lives, for as long as it stands | `LEASE_TTL_SECS` |
//! | `owners` | who owns what; see `table` | for ever |
//! | `session.<shard>` | a gateway session that another pod can go on with | for ever |
//! | `identify.<n>` | taken while no other shard may identify | seconds |

use std::time::Duration;

use anyhow::Context as _;
use async_nats::{
    Subscriber,
    header::NATS_MESSAGE_TTL,
    jetstream::{
        self,
        context::PublishErrorKind,
        message::PublishMessage,
        stream::{self, RawMessageErrorKind},
    },
};
use bytes::Bytes;
use futures::TryStreamExt as _;
use shared::wire;

/// How long a key stands unless it is written again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Life {
    /// Whole seconds, by NATS's clock.
    For(Duration),
    /// For ever.
    Ever,
}

/// Why a key was not written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PutError {
    /// Its revision is not the expected one.
    #[error("somebody else wrote since")]
    Conflict,
    /// NATS is away or refuses. It may have been written all the same.
    #[error("{0:#}")]
    Failed(#[from] anyhow::Error),
}

/// A key's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) revision: u64,
    pub(crate) value: Bytes,
}

/// The bucket. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Bucket {
    client: async_nats::Client,
    js: jetstream::Context,
}

impl Bucket {
    /// The bucket over this connection. No request takes longer than `patience`.
    pub(crate) fn new(client: &async_nats::Client, patience: Duration) -> Self {
        let mut js = jetstream::new(client.clone());
        js.set_timeout(patience);
        Self { client: client.clone(), js }
    }

    /// Writes a key whose revision is `expected` (0: it does not stand, `None`:
    /// whatever it is), and returns the new revision.
    pub(crate) async fn put(
        &self,
        key: &str,
        value: Bytes,
        expected: Option<u64>,
        life: Life,
    ) -> Result<u64, PutError> {
        let life = match life {
            Life::For(life) => format!("{}s", life.as_secs()),
            Life::Ever => "never".to_owned(),
        };
        let mut message = PublishMessage::build().payload(value).header(NATS_MESSAGE_TTL, life);
        if let Some(revision) = expected {
            message = message.expected_last_subject_sequence(revision);
        }
        let sent = self.js.send_publish(subject(key), message).await;
        let acknowledged = match sent {
            Ok(acknowledgement) => acknowledgement.await,
            Err(error) => Err(error),
        };
        match acknowledged {
            Ok(stored) => Ok(stored.sequence),
            // A cluster also refuses what meets a write that is still on its way (10164). That is
            // no conflict yet: it may be an earlier one of this pod's, and fail.
            Err(error) if error.kind() == PublishErrorKind::WrongLastSequence => Err(PutError::Conflict),
            Err(error) => Err(anyhow::Error::from(error).context(format!("cannot write {key}")).into()),
        }
    }

    /// What the stream's leader has for a key.
    pub(crate) async fn get(&self, key: &str) -> anyhow::Result<Option<Entry>> {
        let stream = self.stream().await?;
        match stream.get_last_raw_message_by_subject(&subject(key)).await {
            Ok(message) => Ok(Some(Entry { revision: message.sequence, value: message.payload })),
            Err(error) if error.kind() == RawMessageErrorKind::NoMessageFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("cannot read {key}")),
        }
    }

    /// Removes a key without a trace, whatever its revision.
    pub(crate) async fn remove(&self, key: &str) -> anyhow::Result<()> {
        let stream = self.stream().await?;
        stream.purge().filter(subject(key)).await.with_context(|| format!("cannot remove {key}"))?;
        Ok(())
    }

    /// The names below `prefix` of all keys that stand, as the leader has them.
    pub(crate) async fn names(&self, prefix: &str) -> anyhow::Result<Vec<String>> {
        let stream = self.stream().await?;
        let counts = stream.info_with_subjects(subject(&format!("{prefix}.*"))).await;
        let subjects: Vec<(String, usize)> =
            counts.context("cannot list keys")?.try_collect().await.context("cannot list keys")?;
        let below = subject(&format!("{prefix}."));
        let names = subjects.iter().filter_map(|(subject, _)| subject.strip_prefix(&below));
        Ok(names.map(ToOwned::to_owned).collect())
    }

    /// Hears of everything that is written to keys that match.
    pub(crate) async fn listen(&self, keys: &str) -> anyhow::Result<Subscriber> {
        self.client.subscribe(subject(keys)).await.context("cannot subscribe to the leases")
    }

    async fn stream(&self) -> anyhow::Result<stream::Stream<()>> {
        self.js.get_stream_no_info(name()).await.context("cannot find the leases' bucket")
    }
}

fn name() -> String {
    wire::bucket_stream(wire::LEASES)
}

/// The key at the end of a subject of the bucket.
pub(crate) fn key(subject: &str) -> &str {
    let parts = subject.splitn(3, '.');
    parts.last().unwrap_or_default()
}

fn subject(key: &str) -> String {
    format!("$KV.{}.{key}", wire::LEASES)
}
