//! A number of seats, given out in the order of the requests, and the one task
//! that frees idle ones.

#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, HashMap},
    net::IpAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use super::connection_state::ConnectionState;

/// How long a connection may wait for its sender while others wait for a seat.
/// Sentry needs a round trip.
const IDLE: Duration = Duration::from_millis(500);
/// The same for a connection between two requests: the next one may be on its
/// way.
const KEPT_IDLE: Duration = Duration::from_secs(2);
/// How often to look for idle seats while somebody waits.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Seats for one kind of sender.
#[derive(Debug)]
pub(super) struct SeatPool {
    all: usize,
    /// The most that one address may have, if addresses are counted.
    of_one: usize,
    free: Arc<Semaphore>,
    taken: Arc<TakenSeats>,
}

#[derive(Debug, Default)]
struct TakenSeats {
    /// By the order in which they got their seats.
    connections: Mutex<BTreeMap<u64, Arc<ConnectionState>>>,
    next: AtomicU64,
    addresses: Mutex<HashMap<IpAddr, Arc<Semaphore>>>,
    /// How many wait for a seat, for each address that is counted, and for the
    /// rest together.
    wanted: Mutex<HashMap<Option<IpAddr>, usize>>,
    asked: Notify,
}

impl SeatPool {
    pub(super) fn new(all: usize, of_one: usize) -> Self {
        Self { all, of_one, free: Arc::new(Semaphore::new(all)), taken: Arc::default() }
    }

    /// Waits for a seat. It counts for `address` if there is one. `proxy`: the
    /// connection may stay open after its answer.
    pub(super) async fn seat(&self, address: Option<IpAddr>, proxy: bool) -> Option<ConnectionSeat> {
        let of_address = match address {
            Some(address) => {
                let seats = Arc::clone(
                    lock(&self.taken.addresses)
                        .entry(address)
                        .or_insert_with(|| Arc::new(Semaphore::new(self.of_one))),
                );
                Some((address, self.wait(seats, Some(address)).await?))
            }
            None => None,
        };
        let permit = self.wait(Arc::clone(&self.free), None).await?;
        let id = self.taken.next.fetch_add(1, Relaxed);
        let connection = Arc::new(ConnectionState::new(address, proxy));
        lock(&self.taken.connections).insert(id, Arc::clone(&connection));
        Some(ConnectionSeat { id, connection, taken: Arc::clone(&self.taken), of_address, _permit: permit })
    }

    /// Whether more than half of the seats are free.
    pub(super) fn are_plenty(&self) -> bool {
        self.free.available_permits() > self.all / 2
    }

    async fn wait(&self, seats: Arc<Semaphore>, address: Option<IpAddr>) -> Option<OwnedSemaphorePermit> {
        if let Ok(permit) = Arc::clone(&seats).try_acquire_owned() {
            return Some(permit);
        }
        let _wanted = SeatRequest::by(&self.taken, address);
        seats.acquire_owned().await.ok()
    }

    /// Frees idle seats while others wait for one, for ever.
    pub(super) async fn free_idle(&self) {
        loop {
            self.taken.asked.notified().await;
            while self.taken.evict_idle() {
                tokio::time::sleep(LOOK_EVERY).await;
            }
        }
    }

    /// Ends all connections that are kept open and have no request.
    pub(super) fn free_kept(&self) {
        for connection in lock(&self.taken.connections).values().filter(|connection| connection.rests()) {
            connection.evict();
        }
    }
}

/// Counts as waiting for a seat until it is dropped.
struct SeatRequest<'a> {
    taken: &'a TakenSeats,
    address: Option<IpAddr>,
}

impl<'a> SeatRequest<'a> {
    fn by(taken: &'a TakenSeats, address: Option<IpAddr>) -> Self {
        *lock(&taken.wanted).entry(address).or_default() += 1;
        taken.asked.notify_one();
        Self { taken, address }
    }
}

impl Drop for SeatRequest<'_> {
    fn drop(&mut self) {
        let mut wanted = lock(&self.taken.wanted);
        if let Some(count) = wanted.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                wanted.remove(&self.address);
            }
        }
    }
}

impl TakenSeats {
    /// Ends the oldest connections that have been idle for too long, one for
    /// each that waits. `false` if none waits.
    fn evict_idle(&self) -> bool {
        let mut wanted = lock(&self.wanted).clone();
        if wanted.is_empty() {
            return false;
        }
        for connection in lock(&self.connections).values() {
            if !is_idle(connection.idle(), connection.rests()) {
                continue;
            }
            let of_address = connection.address().and_then(|address| wanted.get(&Some(address)).copied());
            let frees = if of_address > Some(0) { connection.address() } else { None };
            if let Some(count) = wanted.get_mut(&frees).filter(|count| **count > 0) {
                *count -= 1;
                metrics::counter!("sentry_bot_ingress_connections_closed_total", "why" => "idle")
                    .increment(1);
                connection.evict();
            }
        }
        true
    }
}

/// Whether a connection that has waited so long for its sender may lose its seat.
fn is_idle(waited: Duration, rests: bool) -> bool {
    waited >= if rests { KEPT_IDLE } else { IDLE }
}

/// A seat, until it is dropped.
#[derive(Debug)]
pub(crate) struct ConnectionSeat {
    id: u64,
    connection: Arc<ConnectionState>,
    taken: Arc<TakenSeats>,
    of_address: Option<(IpAddr, OwnedSemaphorePermit)>,
    _permit: OwnedSemaphorePermit,
}

impl ConnectionSeat {
    pub(crate) const fn connection(&self) -> &Arc<ConnectionState> {
        &self.connection
    }
}

impl Drop for ConnectionSeat {
    fn drop(&mut self) {
        lock(&self.taken.connections).remove(&self.id);
        if let Some((address, permit)) = self.of_address.take() {
            drop(permit);
            let mut addresses = lock(&self.taken.addresses);
            // Only the table holds it: nobody has such a seat or waits for one.
            if addresses.get(&address).is_some_and(|seats| Arc::strong_count(seats) == 1) {
                addresses.remove(&address);
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
