//! A TCP connection that can lose its seat while it waits for its sender.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
};

use actix_web::{
    rt::net::{ActixStream, Ready, TcpStream},
    web::{Buf as _, Bytes},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::seats::ConnectionSeat;

/// A TCP connection on its seat.
#[derive(Debug)]
pub(crate) struct SeatedStream {
    stream: TcpStream,
    /// The bytes that were read before it had its seat.
    hello: Bytes,
    seat: ConnectionSeat,
}

impl SeatedStream {
    pub(super) fn new(stream: TcpStream, hello: Vec<u8>, seat: ConnectionSeat) -> Self {
        Self { stream, hello: hello.into(), seat }
    }

    pub(crate) fn peer_addr(&self) -> Option<SocketAddr> {
        self.stream.peer_addr().ok()
    }

    pub(crate) const fn seat(&self) -> &ConnectionSeat {
        &self.seat
    }
}

impl AsyncRead for SeatedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.hello.is_empty() {
            let count = self.hello.len().min(buffer.remaining());
            buffer.put_slice(&self.hello[..count]);
            self.hello.advance(count);
            return Poll::Ready(Ok(()));
        }
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if self.seat.connection().was_read(&read, cx.waker()) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        read
    }
}

impl AsyncWrite for SeatedStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl ActixStream for SeatedStream {
    fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<Ready>> {
        ActixStream::poll_read_ready(&self.stream, cx)
    }

    fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<Ready>> {
        ActixStream::poll_write_ready(&self.stream, cx)
    }
}
