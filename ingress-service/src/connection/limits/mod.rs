//! How many connections are served at once, and which.
//!
//! A TLS handshake is the most expensive part of any request. So a connection
//! needs a seat before it, and gets one once its sender has said hello.
//! Addresses that may send have seats of their own, which strangers can never
//! take.
//!
//! No sender with permission is turned away. Newcomers wait in order. Meanwhile
//! connections that have long waited for their sender (a handshake, a head or a
//! body that does not come) give up their seats.

#[cfg(test)]
mod tests;

use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use actix_web::rt::net::TcpStream;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter, clock::Clock as _};
use tokio::sync::Semaphore;

use super::{
    client_hello::HelloQueue, connection_state::ConnectionState, seated_stream::SeatedStream, seats::SeatPool,
};
use crate::sources::{PeerClass, Sources};

/// Connections a second for all strangers together, after a burst of
/// [`STRANGERS_BURST`]. Their answer is always the same, and each costs a
/// handshake.
const STRANGERS_A_SECOND: u32 = 300;
const STRANGERS_BURST: u32 = 1_000;

/// Gives out the seats.
#[derive(Debug)]
pub(crate) struct ConnectionLimits {
    sources: Arc<Sources>,
    lobby: HelloQueue,
    seats: SeatPool,
    strangers_lobby: HelloQueue,
    strangers_waiting: Semaphore,
    strangers_pace: DefaultDirectRateLimiter,
    strangers: SeatPool,
    keeps_alive: bool,
    closing: AtomicBool,
}

impl ConnectionLimits {
    /// Shares out `accepted` connections, so that no kind of them can take all.
    /// Connections of trusted proxies are kept open if `keeps_alive`.
    pub(crate) fn new(sources: Arc<Sources>, accepted: usize, keeps_alive: bool) -> Self {
        let pace = |rate: u32| std::num::NonZeroU32::new(rate).unwrap_or(std::num::NonZeroU32::MIN);
        // For those who may send. One address has at most a part of them, so
        // that others find a seat. A trusted proxy may have all, and so may any
        // address where every address may send.
        let seats = accepted / 4;
        Self {
            sources,
            lobby: HelloQueue::new(accepted * 3 / 8),
            seats: SeatPool::new(seats, (seats * 3 / 4).max(1)),
            strangers_lobby: HelloQueue::new((accepted / 16).max(1)),
            // More are closed right away.
            strangers_waiting: Semaphore::new((accepted / 8).max(1)),
            strangers_pace: RateLimiter::direct(
                Quota::per_second(pace(STRANGERS_A_SECOND)).allow_burst(pace(STRANGERS_BURST)),
            ),
            strangers: SeatPool::new((accepted / 64).max(1), accepted),
            keeps_alive,
            closing: AtomicBool::new(false),
        }
    }

    /// Waits for a seat and returns the connection on it. `None` if it gets
    /// none.
    pub(crate) async fn seat(&self, mut stream: TcpStream) -> Option<SeatedStream> {
        let peer = stream.peer_addr().ok()?.ip();
        let class = self.sources.class_of(peer);
        let lobby = if class == PeerClass::Stranger { &self.strangers_lobby } else { &self.lobby };
        let hello = lobby.hello(&mut stream).await?;
        let proxy = self.keeps_alive && self.sources.is_proxy(peer);
        let seat = match class {
            PeerClass::Any => self.seats.seat(None, proxy).await?,
            PeerClass::Sender => self.seats.seat(Some(group(peer)), proxy).await?,
            PeerClass::Stranger => {
                let Ok(_waiting) = self.strangers_waiting.try_acquire() else {
                    metrics::counter!("sentry_bot_ingress_connections_closed_total", "why" => "stranger")
                        .increment(1);
                    return None;
                };
                self.pace_stranger().await;
                self.strangers.seat(None, false).await?
            }
        };
        Some(SeatedStream::new(stream, hello, seat))
    }

    /// Frees idle seats for as long as it is polled.
    pub(crate) async fn free_idle(&self) {
        tokio::join!(self.seats.free_idle(), self.strangers.free_idle());
    }

    /// Whether the connection stays open after its answer.
    pub(crate) fn keeps(&self, connection: &ConnectionState) -> bool {
        connection.is_proxys() && !self.closing.load(Relaxed) && self.seats.are_plenty()
    }

    /// From now on every answer announces that its connection will be closed.
    pub(crate) fn begin_closing(&self) {
        self.closing.store(true, Relaxed);
    }

    /// Closes the connections that have no request. They got no such
    /// announcement.
    pub(crate) fn close_kept(&self) {
        self.seats.free_kept();
    }

    async fn pace_stranger(&self) {
        while let Err(early) = self.strangers_pace.check() {
            tokio::time::sleep(early.wait_time_from(self.strangers_pace.clock().now())).await;
        }
    }
}

/// The address that `peer` counts as: providers give out IPv6 networks as a
/// whole.
fn group(peer: IpAddr) -> IpAddr {
    const NETWORK: u128 = !0 << 64;
    match peer.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((u128::from(address) & NETWORK).into()),
        address => address,
    }
}
