//! Reading a request's body within its limits, and letting go of one that was
//! not read. The longest body is the setting `MAX_BODY_BYTES`.

use std::{
    cell::Cell,
    ops::Deref,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Instant,
};

use actix_web::{
    body::{BodySize, MessageBody},
    dev::Payload,
    web::Bytes,
};
use futures::StreamExt as _;
use tokio::time::{timeout, timeout_at};

use super::body_memory::{BodyMemory, BodyShare};
use crate::{connection::connection_state::ConnectionState, deadlines::BODY_WITHIN};

/// The least by which a body's memory grows: more than most of them have.
const LEAST: usize = 16 << 10;

/// Why there is no body.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BodyError {
    /// It is longer than so many bytes.
    #[error("body: over the limit")]
    TooLarge(u64),
    /// It was not there in time.
    #[error("body: too slow")]
    TooSlow,
    /// The connection ended first, or its chunks are broken.
    #[error("body: incomplete")]
    Incomplete,
    /// Others took all the room that bodies have, for too long.
    #[error("body: no room for it")]
    NoMemory,
}

/// A request's body, and its share of the room.
#[derive(Debug)]
pub(crate) struct RequestBody {
    bytes: Vec<u8>,
    share: BodyShare,
}

impl Deref for RequestBody {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

/// What a body is read for.
pub(crate) struct BodyReader<'a> {
    /// Its `Content-Length`, when there is one.
    pub(crate) declared: Option<u64>,
    /// The most that it may have.
    pub(crate) limit: u64,
    /// Where it finds room.
    pub(crate) memory: &'a BodyMemory,
    /// How long it may wait for that.
    pub(crate) memory_until: Instant,
    /// Its connection, which is not read from in the meantime.
    pub(crate) connection: Option<&'a Arc<ConnectionState>>,
}

impl BodyReader<'_> {
    /// The whole body.
    ///
    /// # Errors
    /// [`BodyError`]; what was not read stays in `payload`.
    pub(crate) async fn read(&self, payload: &mut Payload) -> Result<RequestBody, BodyError> {
        if self.declared.is_some_and(|length| length > self.limit) {
            return Err(BodyError::TooLarge(self.limit));
        }
        let waited = Cell::new(false);
        let read = timeout(BODY_WITHIN, self.collect(payload, &waited)).await;
        // Whom we did not read from cannot be called slow.
        let late = if waited.get() { BodyError::NoMemory } else { BodyError::TooSlow };
        read.unwrap_or(Err(late))
    }

    async fn collect(&self, payload: &mut Payload, waited: &Cell<bool>) -> Result<RequestBody, BodyError> {
        // Grows with what has arrived: a declared length alone costs no memory.
        let mut body = RequestBody { bytes: Vec::new(), share: self.memory.share() };
        while let Some(chunk) = payload.next().await {
            let chunk = chunk.map_err(|_| BodyError::Incomplete)?;
            let length = body.bytes.len() + chunk.len();
            if length as u64 > self.limit {
                return Err(BodyError::TooLarge(self.limit));
            }
            self.make_room(&mut body, length, waited).await?;
            body.bytes.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    /// Makes the body's memory large enough for `length` bytes, and waits until
    /// there is room for that.
    async fn make_room(
        &self,
        body: &mut RequestBody,
        length: usize,
        waited: &Cell<bool>,
    ) -> Result<(), BodyError> {
        let before = body.bytes.capacity();
        if length <= before {
            return Ok(());
        }
        let whole = self.declared.and_then(|length| usize::try_from(length).ok()).unwrap_or(usize::MAX);
        let capacity = (before * 2).max(LEAST).min(whole).max(length);
        let more = u32::try_from(capacity - before).unwrap_or(u32::MAX);
        if !body.share.try_grow(more) {
            waited.set(true);
            let _paused = self.connection.map(|connection| connection.pause());
            let grown = timeout_at(self.memory_until.into(), body.share.grow(more)).await;
            grown.map_err(|_| BodyError::NoMemory)?;
        }
        body.bytes.reserve_exact(capacity - body.bytes.len());
        Ok(())
    }
}

/// A response's body that keeps the request's until it has been sent. If the
/// rest of a chunked body is dropped, actix reads on without a time limit.
/// While it is held, actix answers, lingers briefly and closes.
pub(crate) struct HeldResponse {
    text: Bytes,
    _payload: Payload,
    connection: Option<Arc<ConnectionState>>,
}

impl HeldResponse {
    pub(crate) fn new(text: String, payload: Payload, connection: Option<Arc<ConnectionState>>) -> Self {
        Self { text: text.into(), _payload: payload, connection }
    }
}

impl Drop for HeldResponse {
    fn drop(&mut self) {
        if let Some(connection) = &self.connection {
            connection.answer();
        }
    }
}

impl MessageBody for HeldResponse {
    type Error = std::convert::Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.text.len() as u64)
    }

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let text = std::mem::take(&mut self.text);
        Poll::Ready((!text.is_empty()).then_some(Ok(text)))
    }
}
