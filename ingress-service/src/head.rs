//! Requests whose head cannot be read: broken, too large, or never complete.
//! actix answers them by itself, with an empty body, and nothing of ours hears of
//! them. Here that answer is seen going out, and the contract's is sent instead,
//! logged and counted as any other refusal.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use actix_tls::accept::openssl::TlsStream;
use actix_web::{
    http::{Method, Uri},
    rt::net::{ActixStream, Ready},
    web::{self, Bytes},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::{
    answer::Answer,
    limits::stream::{Occupant, Seated},
    report::Answered,
    webhook::{PATH, Webhooks, is_ours},
};

/// So much of a request line is looked at.
const MAX_LINE: usize = 1_024;

/// A connection after its TLS handshake.
pub(crate) struct Connection {
    stream: TlsStream<Seated>,
    webhooks: web::Data<Webhooks>,
    /// What came first, until a request is heard.
    line: Vec<u8>,
    /// What is still to be sent in the place of actix's answer.
    answer: Option<Bytes>,
}

impl Connection {
    pub(crate) const fn new(stream: TlsStream<Seated>, webhooks: web::Data<Webhooks>) -> Self {
        Self { stream, webhooks, line: Vec::new(), answer: None }
    }

    pub(crate) fn occupant(&self) -> &Arc<Occupant> {
        self.stream.get_ref().seat().occupant()
    }

    /// The answer to be sent in the place of one that actix made without having
    /// understood a request.
    fn instead_of(&self, actix: &[u8]) -> Option<Bytes> {
        let status = actix.strip_prefix(b"HTTP/1.1 ")?.get(..3)?;
        let (answer, path, rule) = match status {
            b"400" => misread(&String::from_utf8_lossy(&self.line)),
            b"408" => (Answer::SlowHead, "", "head: too slow"),
            b"431" => (Answer::LargeHead, "", "head: too large"),
            _ => return None,
        };
        let source = self.stream.get_ref().peer_addr().map(|peer| peer.ip().to_canonical());
        self.webhooks.reporter.report(&Answered { source, path, answer: &answer, rule, own: false });
        Some(written(&answer))
    }
}

/// How a request is answered that actix could not read; its path, if that is
/// known; and the rule that it broke.
fn misread(line: &str) -> (Answer, &'static str, &'static str) {
    let line = line.trim_start().lines().next().unwrap_or_default();
    let (method, rest) = line.split_once(' ').unwrap_or_default();
    let path = rest.split([' ', '?']).next().unwrap_or_default();
    if method != Method::POST.as_str() || !is_ours(path) {
        return (Answer::AccessForbidden, "", "head: the request line is unknown");
    }
    let target = rest.rsplit_once(' ').map(|(target, _version)| target.parse::<Uri>());
    match target {
        Some(Ok(_)) => (Answer::BrokenHead, PATH, "head: malformed headers"),
        _ => (Answer::ValidationFailed, PATH, "head: malformed query"),
    }
}

/// The whole response, as it stands on the wire.
fn written(answer: &Answer) -> Bytes {
    let (status, body) = (answer.status(), answer.body());
    let headers =
        format!("content-length: {}\r\nconnection: close\r\ncontent-type: application/json", body.len());
    format!("HTTP/1.1 {status}\r\n{headers}\r\n\r\n{body}").into()
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if !self.occupant().heard() {
            let room = MAX_LINE.saturating_sub(self.line.len());
            self.line.extend(buffer.filled().iter().skip(before).take(room));
        }
        read
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        if this.answer.is_none() && !this.occupant().heard() {
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
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl ActixStream for Connection {
    fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<Ready>> {
        self.stream.poll_read_ready(cx)
    }

    fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<Ready>> {
        self.stream.poll_write_ready(cx)
    }
}
