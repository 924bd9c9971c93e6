//! How many connections are served at once, and whose.
//!
//! A connection needs a seat before its TLS handshake, which is the dearest part
//! of any request. Addresses that may send have seats of their own, which those
//! that may not can never take. Nobody who may send is turned away: newcomers
//! wait in order, and while they do, connections that have long been waiting for
//! their sender (a handshake, a head or a body that does not come) give theirs up.

use std::{
    collections::{BTreeMap, HashMap},
    net::IpAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use actix_web::rt::net::TcpStream;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter, clock::Clock as _};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::stream::{Occupant, Seated};
use crate::sources::{Sources, Standing};

/// Connections of those who may send. Each may hold a body in memory.
const SEATS: usize = 2_048;
/// So many of them at most are one address's, unless it is a trusted proxy's or
/// every address may send: the others' always find a seat.
const SEATS_OF_ONE: usize = 1_536;
/// Connections of those who may not.
const STRANGERS: usize = 128;
/// Strangers that wait for a seat; further ones are closed unheard.
const STRANGERS_WAITING: usize = 1_024;
/// Strangers' connections a second, all together, beyond a burst of
/// [`STRANGERS_BURST`]: what they are answered is no news to them, and costs a
/// handshake each.
const STRANGERS_A_SECOND: u32 = 300;
const STRANGERS_BURST: u32 = 1_000;
/// How long a connection may wait for its sender while others wait for a seat.
/// Sentry answers within a round trip.
const IDLE: Duration = Duration::from_millis(500);
/// How often who waits for a seat looks for one that is held idly.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Gives out the seats.
#[derive(Debug)]
pub(crate) struct Connections {
    sources: Arc<Sources>,
    seats: Pool,
    strangers: Pool,
    strangers_waiting: Semaphore,
    strangers_pace: DefaultDirectRateLimiter,
}

impl Connections {
    pub(crate) fn new(sources: Arc<Sources>) -> Self {
        let pace = |rate: u32| std::num::NonZeroU32::new(rate).unwrap_or(std::num::NonZeroU32::MIN);
        Self {
            sources,
            seats: Pool::new(SEATS),
            strangers: Pool::new(STRANGERS),
            strangers_waiting: Semaphore::new(STRANGERS_WAITING),
            strangers_pace: RateLimiter::direct(
                Quota::per_second(pace(STRANGERS_A_SECOND)).allow_burst(pace(STRANGERS_BURST)),
            ),
        }
    }

    /// The connection on its seat, as soon as there is one; `None` when it gets none.
    pub(crate) async fn seat(&self, stream: TcpStream) -> Option<Seated> {
        let peer = stream.peer_addr().ok()?.ip();
        let seat = match self.sources.standing(peer) {
            Standing::Any => self.seats.seat(None).await?,
            Standing::Sender => self.seats.seat(Some(group(peer))).await?,
            Standing::Stranger => {
                let Ok(_waiting) = self.strangers_waiting.try_acquire() else {
                    metrics::counter!("sentry_bot_ingress_connections_closed_total", "why" => "stranger")
                        .increment(1);
                    return None;
                };
                self.pace_stranger().await;
                self.strangers.seat(None).await?
            }
        };
        Some(Seated::new(stream, seat))
    }

    async fn pace_stranger(&self) {
        while let Err(early) = self.strangers_pace.check() {
            tokio::time::sleep(early.wait_time_from(self.strangers_pace.clock().now())).await;
        }
    }
}

/// Who is counted as one: an IPv6 network is given out whole.
fn group(peer: IpAddr) -> IpAddr {
    const NETWORK: u128 = !0 << 64;
    match peer.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((u128::from(address) & NETWORK).into()),
        address => address,
    }
}

/// A number of seats, given out in the order in which they are asked for.
#[derive(Debug)]
struct Pool {
    seats: Arc<Semaphore>,
    taken: Arc<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    /// In their order.
    occupants: Mutex<BTreeMap<u64, Arc<Occupant>>>,
    next: AtomicU64,
    addresses: Mutex<HashMap<IpAddr, Arc<Semaphore>>>,
}

impl Pool {
    fn new(seats: usize) -> Self {
        Self { seats: Arc::new(Semaphore::new(seats)), taken: Arc::default() }
    }

    /// A seat, as one of its address's where that is counted.
    async fn seat(&self, address: Option<IpAddr>) -> Option<Seat> {
        let of_address = match address {
            Some(address) => {
                let seats = Arc::clone(
                    lock(&self.taken.addresses)
                        .entry(address)
                        .or_insert_with(|| Arc::new(Semaphore::new(SEATS_OF_ONE))),
                );
                Some((address, self.wait(seats, Some(address)).await?))
            }
            None => None,
        };
        let permit = self.wait(Arc::clone(&self.seats), None).await?;
        let id = self.taken.next.fetch_add(1, Relaxed);
        let occupant = Arc::new(Occupant::new(address));
        lock(&self.taken.occupants).insert(id, Arc::clone(&occupant));
        Some(Seat { id, occupant, taken: Arc::clone(&self.taken), of_address, _permit: permit })
    }

    /// Waits for a seat that is free, or is held idly; under `address`, if one
    /// is given.
    async fn wait(&self, seats: Arc<Semaphore>, address: Option<IpAddr>) -> Option<OwnedSemaphorePermit> {
        let mut permit = std::pin::pin!(seats.acquire_owned());
        // Ticks at once for the first time.
        let mut look = tokio::time::interval(LOOK_EVERY);
        loop {
            tokio::select! {
                biased;
                permit = &mut permit => return permit.ok(),
                _ = look.tick() => self.taken.evict_idle(address),
            }
        }
    }
}

impl Taken {
    /// Ends the oldest connection that has been idle for too long.
    fn evict_idle(&self, address: Option<IpAddr>) {
        let idle = lock(&self.occupants)
            .values()
            .filter(|occupant| address.is_none() || occupant.address() == address)
            .find(|occupant| occupant.idle() >= IDLE)
            .cloned();
        if let Some(idle) = idle {
            metrics::counter!("sentry_bot_ingress_connections_closed_total", "why" => "idle").increment(1);
            idle.evict();
        }
    }
}

/// A seat, until it is dropped.
#[derive(Debug)]
pub(crate) struct Seat {
    id: u64,
    occupant: Arc<Occupant>,
    taken: Arc<Taken>,
    of_address: Option<(IpAddr, OwnedSemaphorePermit)>,
    _permit: OwnedSemaphorePermit,
}

impl Seat {
    pub(crate) const fn occupant(&self) -> &Arc<Occupant> {
        &self.occupant
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        lock(&self.taken.occupants).remove(&self.id);
        if let Some((address, permit)) = self.of_address.take() {
            drop(permit);
            let mut addresses = lock(&self.taken.addresses);
            // The table's own: nobody sits there or waits for a seat.
            if addresses.get(&address).is_some_and(|seats| Arc::strong_count(seats) == 1) {
                addresses.remove(&address);
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn an_ipv6_network_counts_as_one() {
        assert_eq!(group(ip("2001:db8::1")), group(ip("2001:db8::ffff:2")));
        assert_ne!(group(ip("2001:db8::1")), group(ip("2001:db8:0:1::1")));
        assert_eq!(group(ip("::ffff:192.0.2.1")), ip("192.0.2.1"));
    }

    #[tokio::test]
    async fn one_address_leaves_seats_for_others_and_is_forgotten_when_it_leaves() {
        let pool = Pool::new(SEATS);
        let mut seats = Vec::new();
        for _ in 0..SEATS_OF_ONE {
            let seat = pool.seat(Some(ip("192.0.2.1"))).await.expect("a seat");
            // At work, so that it is not idle.
            std::mem::forget(seat.occupant().serve());
            seats.push(seat);
        }
        let further = tokio::time::timeout(2 * IDLE, pool.seat(Some(ip("192.0.2.1")))).await;
        assert!(further.is_err(), "it waits");
        seats.push(pool.seat(Some(ip("192.0.2.2"))).await.expect("a seat"));
        drop(seats);
        assert_eq!(lock(&pool.taken.addresses).len(), 0);
        assert_eq!(lock(&pool.taken.occupants).len(), 0);
    }
}
