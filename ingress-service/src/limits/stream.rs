//! A TCP connection that can be told to give up its place while it waits for
//! its sender.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    task::{Context, Poll},
    time::{Duration, Instant},
};

use actix_web::rt::net::{ActixStream, Ready, TcpStream};
use futures::task::AtomicWaker;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::connections::Seat;

/// What others may know of a connection.
#[derive(Debug)]
pub(crate) struct Occupant {
    address: Option<IpAddr>,
    seated: Instant,
    /// Milliseconds from `seated` to when it began to wait for its sender, and
    /// one; 0 while it does not.
    waits_since: AtomicU64,
    /// Whether its request is being answered: then it waits for us.
    busy: AtomicBool,
    /// Whether a request of it was understood as one.
    heard: AtomicBool,
    evicted: AtomicBool,
    reader: AtomicWaker,
}

impl Occupant {
    /// How long the connection has had its seat.
    pub(crate) fn seated_for(&self) -> Duration {
        self.seated.elapsed()
    }

    /// Of a connection that counts as one of `address`'s, where that is counted.
    pub(super) fn new(address: Option<IpAddr>) -> Self {
        Self {
            address,
            seated: Instant::now(),
            // Nothing has come yet.
            waits_since: AtomicU64::new(1),
            busy: AtomicBool::new(false),
            heard: AtomicBool::new(false),
            evicted: AtomicBool::new(false),
            reader: AtomicWaker::new(),
        }
    }

    pub(super) const fn address(&self) -> Option<IpAddr> {
        self.address
    }

    /// How long it has been waiting for its sender.
    pub(super) fn idle(&self) -> Duration {
        let since = self.waits_since.load(Relaxed);
        if since == 0 || self.busy.load(Relaxed) || self.evicted.load(Relaxed) {
            return Duration::ZERO;
        }
        self.seated.elapsed().saturating_sub(Duration::from_millis(since - 1))
    }

    /// Ends the connection, unless something has come from its sender after all.
    pub(super) fn evict(&self) {
        self.evicted.store(true, Relaxed);
        self.reader.wake();
    }

    /// Declares that a request has come over it.
    pub(crate) fn hear(&self) {
        self.heard.store(true, Relaxed);
    }

    /// Whether a request has come over it.
    pub(crate) fn heard(&self) -> bool {
        self.heard.load(Relaxed)
    }

    /// Declares that its request is complete. It keeps its place until the
    /// returned guard is dropped.
    pub(crate) fn serve(&self) -> Served<'_> {
        self.busy.store(true, Relaxed);
        Served(self)
    }

    fn reads(&self, waits: bool) {
        if !waits {
            self.waits_since.store(0, Relaxed);
        } else if self.waits_since.load(Relaxed) == 0 {
            let since = self.seated.elapsed().as_millis() as u64 + 1;
            self.waits_since.store(since, Relaxed);
        }
    }
}

/// A request that is being answered.
pub(crate) struct Served<'a>(&'a Occupant);

impl Drop for Served<'_> {
    fn drop(&mut self) {
        self.0.busy.store(false, Relaxed);
    }
}

/// A TCP connection on its seat.
#[derive(Debug)]
pub(crate) struct Seated {
    stream: TcpStream,
    seat: Seat,
}

impl Seated {
    pub(super) const fn new(stream: TcpStream, seat: Seat) -> Self {
        Self { stream, seat }
    }

    pub(crate) fn peer_addr(&self) -> Option<SocketAddr> {
        self.stream.peer_addr().ok()
    }

    pub(crate) const fn seat(&self) -> &Seat {
        &self.seat
    }
}

impl AsyncRead for Seated {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        let occupant = self.seat.occupant();
        occupant.reads(read.is_pending());
        if read.is_pending() {
            occupant.reader.register(cx.waker());
            if occupant.evicted.load(Relaxed) {
                return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
            }
        } else {
            occupant.evicted.store(false, Relaxed);
        }
        read
    }
}

impl AsyncWrite for Seated {
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

impl ActixStream for Seated {
    fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<Ready>> {
        ActixStream::poll_read_ready(&self.stream, cx)
    }

    fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<Ready>> {
        ActixStream::poll_write_ready(&self.stream, cx)
    }
}
