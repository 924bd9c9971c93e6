//! Buckets, read as their leaders have them.
//!
//! `kv::Store::get` and `entry` may read from any replica, and with several
//! replicas one may lag. It shows an old value, or none where there is one. A
//! `kv::Store` needs the bucket to be there. A [`Bucket`] is only a name. It
//! works while NATS is away, and after the bucket was lost and made again.

use std::time::Duration;

use anyhow::Context as _;
use async_nats::{
    HeaderMap, Subscriber,
    header::{NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, NATS_MESSAGE_TTL},
    jetstream::{
        self,
        context::{PublishError, PublishErrorKind},
        stream::Stream,
    },
};
use bytes::Bytes;
use futures::TryStreamExt as _;
use shared::{kv, wire};

/// Which headers of a message say that the key was removed.
const OPERATION: &str = "KV-Operation";
/// What says that a message takes the place of all on its subject.
const ROLLUP: &str = "Nats-Rollup";

/// The last entry of a key.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Entry {
    /// What a write that follows must name: 0 where the key was never written, or
    /// purged with all marks.
    pub(crate) revision: u64,
    /// None when the key was removed, or never written.
    pub(crate) value: Option<Bytes>,
}

/// How long a key lives unless it is written again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lifetime {
    /// Whole seconds, by NATS's clock.
    For(Duration),
    /// For ever.
    Ever,
}

/// Why a key was not written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WriteError {
    /// Another write came first: read again, and try again.
    #[error("somebody else wrote since")]
    Conflict,
    /// NATS is away or refuses. It may have been written all the same.
    #[error("{0:#}")]
    Failed(#[from] anyhow::Error),
}

/// A bucket. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Bucket {
    js: jetstream::Context,
    name: &'static str,
}

impl Bucket {
    /// The bucket of this name, which need not be there yet.
    pub fn new(js: &jetstream::Context, name: &'static str) -> Self {
        Self { js: js.clone(), name }
    }

    /// The connection to NATS.
    pub(crate) fn client(&self) -> async_nats::Client {
        self.js.client()
    }

    /// The key's entry.
    pub(crate) async fn entry(&self, key: &str) -> anyhow::Result<Entry> {
        let last = kv::last_at_leader(&self.js, self.name, &self.subject(key)).await;
        let last = last.with_context(|| format!("cannot read from the bucket {}", self.name))?;
        Ok(last.map_or_else(Entry::default, |message| {
            let removed = message.headers.get(OPERATION).is_some_and(|operation| operation.as_str() != "PUT");
            Entry { revision: message.sequence, value: (!removed).then_some(message.payload) }
        }))
    }

    /// The key's value.
    pub(crate) async fn get(&self, key: &str) -> anyhow::Result<Option<Bytes>> {
        Ok(self.entry(key).await?.value)
    }

    /// The keys that match, from the stream's index of subjects.
    pub(crate) async fn keys(&self, pattern: &str) -> anyhow::Result<Vec<String>> {
        let cannot = || format!("cannot list the keys of the bucket {}", self.name);
        let counts = self.stream().await?.info_with_subjects(self.subject(pattern)).await;
        let subjects: Vec<(String, usize)> =
            counts.with_context(cannot)?.try_collect().await.with_context(cannot)?;
        let below = self.subject("");
        let keys = subjects.iter().filter_map(|(subject, _)| subject.strip_prefix(&below));
        Ok(keys.map(ToOwned::to_owned).collect())
    }

    /// Writes the key over any revision.
    pub(crate) async fn put(&self, key: &str, value: Bytes) -> anyhow::Result<()> {
        self.publish(key, HeaderMap::new(), value).await?;
        Ok(())
    }

    /// Writes the key in place of this revision (0: the key is absent), and
    /// returns the new one.
    pub(crate) async fn update(&self, key: &str, value: Bytes, revision: u64) -> Result<u64, WriteError> {
        self.publish(key, expecting(revision), value).await
    }

    /// Writes the key in place of this revision; `false` if another write came first.
    pub(crate) async fn replace(&self, key: &str, value: Bytes, revision: u64) -> anyhow::Result<bool> {
        match self.update(key, value, revision).await {
            Ok(_) => Ok(true),
            Err(WriteError::Conflict) => Ok(false),
            Err(WriteError::Failed(error)) => Err(error),
        }
    }

    /// Writes the key for so long, in place of this revision (0: the key is absent,
    /// `None`: any), and returns the new revision.
    ///
    /// A write that meets another on its way to the replicas is
    /// [`WriteError::Failed`] here: that other one may be this pod's own, and fail.
    pub(crate) async fn write(
        &self,
        key: &str,
        value: Bytes,
        revision: Option<u64>,
        lifetime: Lifetime,
    ) -> Result<u64, WriteError> {
        let mut headers = revision.map_or_else(HeaderMap::new, expecting);
        let ttl = match lifetime {
            Lifetime::For(time) => format!("{}s", time.as_secs()),
            Lifetime::Ever => "never".to_owned(),
        };
        headers.insert(NATS_MESSAGE_TTL, ttl);
        self.send(key, headers, value).await.map_err(|error| match error.kind() {
            PublishErrorKind::WrongLastSequence => WriteError::Conflict,
            _ => self.failed(error),
        })
    }

    /// Removes the value of the key. A mark remains.
    pub(crate) async fn purge(&self, key: &str) -> anyhow::Result<()> {
        self.publish(key, removing(HeaderMap::new()), Bytes::new()).await?;
        Ok(())
    }

    /// The same, if the key still has this revision.
    pub(crate) async fn purge_revision(&self, key: &str, revision: u64) -> Result<(), WriteError> {
        self.publish(key, removing(expecting(revision)), Bytes::new()).await.map(drop)
    }

    /// Removes the key without a mark; whether it was there.
    pub(crate) async fn remove(&self, key: &str) -> anyhow::Result<bool> {
        let purged = self.stream().await?.purge().filter(self.subject(key)).await;
        let purged = purged.with_context(|| format!("cannot remove from the bucket {}", self.name))?;
        Ok(purged.purged > 0)
    }

    /// Tells this bucket from one that was made in its place.
    pub(crate) async fn identity(&self) -> anyhow::Result<i128> {
        let found = self.js.get_stream(wire::bucket_stream(self.name)).await;
        let found = found.with_context(|| format!("cannot look at the bucket {}", self.name))?;
        Ok(found.cached_info().created.unix_timestamp_nanos())
    }

    /// The messages that write to the keys that match, from now on.
    pub(crate) async fn listen(&self, pattern: &str) -> anyhow::Result<Subscriber> {
        let heard = self.js.client().subscribe(self.subject(pattern)).await;
        heard.with_context(|| format!("cannot listen to the bucket {}", self.name))
    }

    /// The key that a message of [`Self::listen`] writes to.
    pub(crate) fn key<'a>(&self, subject: &'a str) -> &'a str {
        subject.strip_prefix(&self.subject("")).unwrap_or_default()
    }

    async fn publish(&self, key: &str, headers: HeaderMap, value: Bytes) -> Result<u64, WriteError> {
        self.send(key, headers, value).await.map_err(|error| match kv::came_second(&error) {
            true => WriteError::Conflict,
            false => self.failed(error),
        })
    }

    async fn send(&self, key: &str, headers: HeaderMap, value: Bytes) -> Result<u64, PublishError> {
        let sent = self.js.publish_with_headers(self.subject(key), headers, value).await?;
        Ok(sent.await?.sequence)
    }

    fn failed(&self, error: PublishError) -> WriteError {
        anyhow::Error::from(error).context(format!("cannot write to the bucket {}", self.name)).into()
    }

    async fn stream(&self) -> anyhow::Result<Stream<()>> {
        let stream = self.js.get_stream_no_info(wire::bucket_stream(self.name)).await;
        stream.with_context(|| format!("cannot find the bucket {}", self.name))
    }

    fn subject(&self, key: &str) -> String {
        format!("$KV.{}.{key}", self.name)
    }
}

fn expecting(revision: u64) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, revision.to_string());
    headers
}

fn removing(mut headers: HeaderMap) -> HeaderMap {
    headers.insert(OPERATION, "PURGE");
    headers.insert(ROLLUP, "sub");
    headers
}
