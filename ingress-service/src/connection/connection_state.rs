//! The state of a connection: it waits for its sender, it has a request, or it
//! is to be closed.

use std::{
    net::IpAddr,
    sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed},
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use futures::task::AtomicWaker;

/// What the listener's parts share about a connection.
#[derive(Debug)]
pub(crate) struct ConnectionState {
    address: Option<IpAddr>,
    /// Whether it may stay open after an answer.
    proxy: bool,
    seated: Instant,
    /// 1 + the milliseconds from `seated` to when it began to wait for its
    /// sender. 0 while it does not wait.
    waits_since: AtomicU64,
    /// Whether its request is being answered, so that it waits for us.
    busy: AtomicBool,
    /// Whether reading pauses until there is room for its body.
    paused: AtomicBool,
    /// Whether a request was parsed and is not answered yet.
    heard: AtomicBool,
    /// How many of its requests were answered.
    answered: AtomicU32,
    /// Whether an answer said that it is the last one.
    closing: AtomicBool,
    /// Whether it is to be closed, even if more bytes have come.
    over: AtomicBool,
    evicted: AtomicBool,
    reader: AtomicWaker,
}

impl ConnectionState {
    /// How long the connection has had its seat.
    pub(crate) fn seated_for(&self) -> Duration {
        self.seated.elapsed()
    }

    /// `address` is the one that the connection counts for, if addresses are
    /// counted.
    pub(super) fn new(address: Option<IpAddr>, proxy: bool) -> Self {
        Self {
            address,
            proxy,
            seated: Instant::now(),
            // Nothing has come yet.
            waits_since: AtomicU64::new(1),
            busy: AtomicBool::new(false),
            paused: AtomicBool::new(false),
            heard: AtomicBool::new(false),
            answered: AtomicU32::new(0),
            closing: AtomicBool::new(false),
            over: AtomicBool::new(false),
            evicted: AtomicBool::new(false),
            reader: AtomicWaker::new(),
        }
    }

    pub(super) const fn address(&self) -> Option<IpAddr> {
        self.address
    }

    /// Whether it belongs to a trusted proxy, and so may stay open after an
    /// answer.
    pub(super) const fn is_proxys(&self) -> bool {
        self.proxy
    }

    /// How long it has been waiting for its sender.
    pub(super) fn idle(&self) -> Duration {
        let since = self.waits_since.load(Relaxed);
        let waits_for_us = self.busy.load(Relaxed) || self.paused.load(Relaxed);
        if since == 0 || waits_for_us || self.is_evicted() {
            return Duration::ZERO;
        }
        self.seated.elapsed().saturating_sub(Duration::from_millis(since - 1))
    }

    /// Ends the connection, unless something has come from its sender after all.
    pub(super) fn evict(&self) {
        self.evicted.store(true, Relaxed);
        self.reader.wake();
    }

    pub(super) fn is_evicted(&self) -> bool {
        self.evicted.load(Relaxed)
    }

    /// Whether it was kept open, and has no request now.
    pub(super) fn rests(&self) -> bool {
        self.answered() > 0 && !self.heard()
    }

    /// Notes that a request has come. `false` if the last answer has already
    /// gone out, so that the connection is to be closed.
    #[must_use]
    pub(crate) fn begin_request(&self) -> bool {
        if self.closing.load(Relaxed) {
            self.over.store(true, Relaxed);
            self.reader.wake();
            return false;
        }
        self.heard.store(true, Relaxed);
        true
    }

    /// Notes that the answer to its request is the last one.
    pub(crate) fn close(&self) {
        self.closing.store(true, Relaxed);
    }

    /// Whether it is to be closed now.
    pub(crate) fn is_over(&self) -> bool {
        self.over.load(Relaxed)
    }

    /// Notes that the answer to its request has gone out.
    pub(crate) fn answer(&self) {
        if !self.closing.load(Relaxed) {
            self.heard.store(false, Relaxed);
            self.answered.fetch_add(1, Relaxed);
            self.waits_since.store(self.now(), Relaxed);
        }
    }

    /// How many of its requests were answered.
    pub(crate) fn answered(&self) -> u32 {
        self.answered.load(Relaxed)
    }

    /// Stops reading until the returned guard is dropped.
    pub(crate) fn pause(&self) -> Paused<'_> {
        self.paused.store(true, Relaxed);
        Paused(self)
    }

    /// Whether reading is paused. If so, `reader` is woken when it goes on.
    pub(crate) fn is_paused(&self, reader: &Context<'_>) -> bool {
        self.reader.register(reader.waker());
        self.paused.load(Relaxed)
    }

    /// Whether a request has come over it.
    pub(crate) fn heard(&self) -> bool {
        self.heard.load(Relaxed)
    }

    /// Notes that its request is complete. It keeps its place until the
    /// returned guard is dropped.
    pub(crate) fn serve(&self) -> Served<'_> {
        self.busy.store(true, Relaxed);
        Served(self)
    }

    /// Notes the result of a read. Returns whether the connection ends: it has
    /// to give up its seat, and nothing has come since.
    #[must_use]
    pub(super) fn was_read<T>(&self, read: &Poll<T>, reader: &Waker) -> bool {
        if read.is_ready() {
            self.waits_since.store(0, Relaxed);
            self.evicted.store(false, Relaxed);
            return false;
        }
        if self.waits_since.load(Relaxed) == 0 {
            self.waits_since.store(self.now(), Relaxed);
        }
        self.reader.register(reader);
        self.is_evicted()
    }

    /// 1 + the milliseconds from `seated` to now.
    fn now(&self) -> u64 {
        self.seated.elapsed().as_millis() as u64 + 1
    }
}

/// Pauses reading from the connection until it is dropped.
pub(crate) struct Paused<'a>(&'a ConnectionState);

impl Drop for Paused<'_> {
    fn drop(&mut self) {
        self.0.paused.store(false, Relaxed);
        self.0.reader.wake();
    }
}

/// Marks the connection's request as being answered until it is dropped.
pub(crate) struct Served<'a>(&'a ConnectionState);

impl Drop for Served<'_> {
    fn drop(&mut self) {
        self.0.busy.store(false, Relaxed);
    }
}
