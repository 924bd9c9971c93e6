//! Reading a request's body within its limits, and letting go of one that was
//! not read.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use actix_web::{
    body::{BodySize, MessageBody},
    dev::Payload,
    web::{Bytes, BytesMut},
};
use futures::StreamExt as _;

/// The longest that a sender may take for its body: Sentry itself gives up
/// after five seconds.
const READ_WITHIN: Duration = Duration::from_secs(5);

/// Why there is no body.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BodyError {
    /// It is longer than the limit.
    #[error("body: over the limit")]
    TooLarge,
    /// It was not there in time.
    #[error("body: too slow")]
    TooSlow,
    /// The connection ended first, or its chunks are broken.
    #[error("body: incomplete")]
    Incomplete,
}

/// The whole body. `declared` is its `Content-Length`, when there is one.
///
/// # Errors
/// [`BodyError`]; what was not read stays in `payload`.
pub(crate) async fn read(
    payload: &mut Payload,
    declared: Option<u64>,
    limit: u64,
) -> Result<Bytes, BodyError> {
    if declared.is_some_and(|length| length > limit) {
        return Err(BodyError::TooLarge);
    }
    tokio::time::timeout(READ_WITHIN, collect(payload, limit)).await.unwrap_or(Err(BodyError::TooSlow))
}

async fn collect(payload: &mut Payload, limit: u64) -> Result<Bytes, BodyError> {
    // Grows with what has arrived: a declared length alone costs no memory.
    let mut body = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| BodyError::Incomplete)?;
        if (body.len() + chunk.len()) as u64 > limit {
            return Err(BodyError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// A response's body that keeps the request's until it has been sent. actix
/// reads on without any time limit when the rest of a chunked body has been
/// dropped; while it is held, actix answers, lingers briefly and closes.
pub(crate) struct Held {
    text: Bytes,
    _payload: Payload,
}

impl Held {
    pub(crate) fn new(text: String, payload: Payload) -> Self {
        Self { text: text.into(), _payload: payload }
    }
}

impl MessageBody for Held {
    type Error = std::convert::Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.text.len() as u64)
    }

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let text = std::mem::take(&mut self.text);
        Poll::Ready((!text.is_empty()).then_some(Ok(text)))
    }
}
