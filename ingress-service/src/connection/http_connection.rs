//! A connection after its TLS handshake, between TLS and actix.
//!
//! actix answers a request that it cannot read itself, with an empty body, and
//! tells our code nothing. This stream sees that answer go out and sends the one
//! of [`unreadable_request`] instead. It is logged and counted like any
//! rejection.
//!
//! The stream also ends what actix leaves open: a second head that never comes,
//! and requests after the last answer.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use actix_tls::accept::openssl::TlsStream;
use actix_web::{
    rt::net::{ActixStream, Ready},
    web::Bytes,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

use super::{connection_state::ConnectionState, seated_stream::SeatedStream, unreadable_request};
use crate::{
    deadlines::{HEAD_WITHIN, LINGER},
    request_log::{AnsweredRequest, RequestLog},
    response::WebhookResponse,
};

/// How much of a request line is examined, in bytes.
const MAX_LINE: usize = 1_024;
/// The most bytes to read ahead of actix. Alone it would read 128 KiB of each
/// connection, even of those without room for a body.
const READ_AT_ONCE: usize = 16 << 10;

/// A connection after its TLS handshake.
pub(crate) struct HttpConnection {
    stream: TlsStream<SeatedStream>,
    log: Arc<RequestLog>,
    /// The first bytes of a request, until it is parsed.
    line: Vec<u8>,
    /// How many requests were answered before it.
    line_after: u32,
    /// When to give up a request that has begun. actix does so only for the
    /// first one of a connection.
    head_within: Option<Pin<Box<Sleep>>>,
    /// Bytes that were read and that actix has not examined yet.
    unseen: usize,
    /// Whether something was written that was not flushed.
    unflushed: bool,
    /// When to stop reading from a connection that is over.
    lingers: Option<Pin<Box<Sleep>>>,
    /// What is left to send in place of actix's answer.
    answer: Option<Bytes>,
}

impl HttpConnection {
    pub(crate) const fn new(stream: TlsStream<SeatedStream>, log: Arc<RequestLog>) -> Self {
        Self {
            stream,
            log,
            line: Vec::new(),
            line_after: 0,
            head_within: None,
            unseen: 0,
            unflushed: false,
            lingers: None,
            answer: None,
        }
    }

    pub(crate) fn state(&self) -> &Arc<ConnectionState> {
        self.stream.get_ref().seat().connection()
    }

    /// The answer to send in place of actix's, if actix could not read the
    /// request.
    fn instead_of(&self, actix: &[u8]) -> Option<Bytes> {
        let status = actix.strip_prefix(b"HTTP/1.1 ")?.get(..3)?;
        let (answer, path, rule) = match status {
            b"400" => unreadable_request::misread(&String::from_utf8_lossy(&self.line)),
            b"408" => (WebhookResponse::SlowHead, "", "head: too slow"),
            b"431" => (WebhookResponse::LargeHead, "", "head: too large"),
            _ => return None,
        };
        let source = self.stream.get_ref().peer_addr().map(|peer| peer.ip().to_canonical());
        self.log.report(&AnsweredRequest { source, path, answer: &answer, rule, own: false });
        Some(unreadable_request::written(&answer))
    }
}

impl HttpConnection {
    /// Tells the sender that nothing more comes, and gives it time to read the
    /// answer. A socket that is closed with unread bytes loses what it sent.
    fn poll_over(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        if self.unflushed {
            return Poll::Pending;
        }
        let lingers = self.lingers.get_or_insert_with(|| Box::pin(sleep(LINGER)));
        let over = io::Error::from(io::ErrorKind::ConnectionAborted);
        if lingers.as_mut().poll(cx).is_ready()
            || ready!(Pin::new(&mut self.stream).poll_shutdown(cx)).is_err()
        {
            return Poll::Ready(over);
        }
        let mut unread = [0; 1_024];
        loop {
            let mut unread = ReadBuf::new(&mut unread);
            match ready!(Pin::new(&mut self.stream).poll_read(cx, &mut unread)) {
                Ok(()) if !unread.filled().is_empty() => {}
                _ => return Poll::Ready(over),
            }
        }
    }

    /// Whether a request that is not the connection's first takes too long for
    /// its head.
    fn is_late(&mut self, cx: &mut Context<'_>) -> bool {
        if self.line_after == 0 || self.line.is_empty() || self.state().heard() {
            self.head_within = None;
            return false;
        }
        self.head_within.get_or_insert_with(|| Box::pin(sleep(HEAD_WITHIN))).as_mut().poll(cx).is_ready()
    }
}

impl AsyncRead for HttpConnection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.state().is_over() {
            return this.poll_over(cx).map(Err);
        }
        if this.state().is_paused(cx) {
            return Poll::Pending;
        }
        if this.unseen >= READ_AT_ONCE {
            this.unseen = 0;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let before = buffer.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(cx, buffer);
        let came = buffer.filled().len() - before;
        this.unseen = if came > 0 { this.unseen + came } else { 0 };
        if !this.state().heard() {
            let answered = this.state().answered();
            if this.line_after != answered {
                this.line_after = answered;
                this.line.clear();
            }
            let room = MAX_LINE.saturating_sub(this.line.len());
            this.line.extend(buffer.filled().iter().skip(before).take(room));
        }
        if read.is_pending() && this.is_late(cx) {
            metrics::counter!("sentry_bot_ingress_connections_closed_total", "why" => "idle").increment(1);
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        read
    }
}

impl AsyncWrite for HttpConnection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        this.unflushed = true;
        if this.answer.is_none() && !this.state().heard() {
            this.answer = this.instead_of(bytes);
        }
        let Some(answer) = &mut this.answer else {
            return Pin::new(&mut this.stream).poll_write(cx, bytes);
        };
        while !answer.is_empty() {
            let sent = ready!(Pin::new(&mut this.stream).poll_write(cx, answer))?;
            if sent == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            let _ = answer.split_to(sent);
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        self.unflushed = false;
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl ActixStream for HttpConnection {
    fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<Ready>> {
        self.stream.poll_read_ready(cx)
    }

    fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<Ready>> {
        self.stream.poll_write_ready(cx)
    }
}
