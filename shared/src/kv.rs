//! Reads keys of buckets as the bucket's leader has them.
//!
//! `kv::Store::get` and `entry` may read from any replica. A replica that lags
//! shows an old value, or none where there is one.

use std::error::Error;

use async_nats::jetstream::{
    self, Context, ErrorCode,
    context::{PublishError, PublishErrorKind},
    message::StreamMessage,
    stream::{LastRawMessageError, LastRawMessageErrorKind},
};

use crate::wire;

/// The last message under a subject of this bucket, as the leader has it.
/// `None` if there is none.
///
/// # Errors
/// When the leader does not answer, or there is no such bucket: see
/// [`is_missing`].
pub async fn last_at_leader(
    js: &Context,
    bucket: &str,
    subject: &str,
) -> Result<Option<StreamMessage>, LastRawMessageError> {
    let stream = js.get_stream_no_info(wire::bucket_stream(bucket)).await;
    let stream =
        stream.map_err(|error| LastRawMessageError::with_source(LastRawMessageErrorKind::Other, error))?;
    match stream.get_last_raw_message_by_subject(subject).await {
        Ok(message) => Ok(Some(message)),
        Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether there is no such bucket.
pub fn is_missing(error: &LastRawMessageError) -> bool {
    let missing = ErrorCode::STREAM_NOT_FOUND;
    matches!(error.kind(), LastRawMessageErrorKind::JetStream(answer) if answer.error_code() == missing)
}

/// Whether another write to the key came first. A cluster has an error of its
/// own for this, while the other write is on its way to the replicas.
pub fn came_second(error: &PublishError) -> bool {
    error.kind() == PublishErrorKind::WrongLastSequence || error.source().is_some_and(is_on_its_way)
}

fn is_on_its_way(error: &(dyn Error + 'static)) -> bool {
    match error.downcast_ref::<jetstream::Error>() {
        Some(error) => error.error_code() == ErrorCode::STREAM_WRONG_LAST_SEQUENCE_CONSTANT,
        None => error.source().is_some_and(is_on_its_way),
    }
}
