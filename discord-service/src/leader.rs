//! Reading a key as its bucket's leader has it, and what a leader says of writes.
//!
//! `kv::Store::get` and `entry` read directly from whichever replica answers
//! first, and with several replicas that may be one that lags: it shows a value
//! that is written over, or none where there is one.

use std::error::Error;

use anyhow::Context as _;
use async_nats::jetstream::{self, ErrorCode, kv, stream::LastRawMessageErrorKind};
use bytes::Bytes;

/// Which headers of a message say that the key was removed.
const OPERATION: &str = "KV-Operation";

/// What stands, or stood, under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// What a write that follows must name.
    pub(crate) revision: u64,
    /// None when the key was removed.
    pub(crate) value: Option<Bytes>,
}

/// The key's entry; none when it was never written, or purged with all marks.
pub(crate) async fn entry(bucket: &kv::Store, key: &str) -> anyhow::Result<Option<Entry>> {
    let subject = format!("{}{key}", bucket.prefix);
    match bucket.stream.get_last_raw_message_by_subject(&subject).await {
        Ok(message) => {
            let removed = message.headers.get(OPERATION).is_some_and(|operation| operation.as_str() != "PUT");
            let value = (!removed).then_some(message.payload);
            Ok(Some(Entry { revision: message.sequence, value }))
        }
        Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read from the bucket {}", bucket.name)),
    }
}

/// The key's value.
pub(crate) async fn get(bucket: &kv::Store, key: &str) -> anyhow::Result<Option<Bytes>> {
    Ok(entry(bucket, key).await?.and_then(|entry| entry.value))
}

/// Whether a write was refused since another came first: read again, and try again.
/// A cluster has a word of its own for it while the other one is on its way to the
/// replicas, which the client library takes for a failure.
pub(crate) fn came_second(error: &kv::UpdateError) -> bool {
    let on_its_way = error.source().is_some_and(is_on_its_way);
    error.kind() == kv::UpdateErrorKind::WrongLastRevision || on_its_way
}

fn is_on_its_way(error: &(dyn Error + 'static)) -> bool {
    match error.downcast_ref::<jetstream::Error>() {
        Some(error) => error.error_code() == ErrorCode::STREAM_WRONG_LAST_SEQUENCE_CONSTANT,
        None => error.source().is_some_and(is_on_its_way),
    }
}
