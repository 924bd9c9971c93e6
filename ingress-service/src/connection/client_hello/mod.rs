//! Where a connection waits for the sender's TLS hello. It needs no seat yet,
//! so a sender that says nothing, or half a hello, takes none.

#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use actix_web::rt::net::TcpStream;
use tokio::{io::AsyncReadExt as _, sync::Notify, time::timeout};

use crate::deadlines::HANDSHAKE_WITHIN;

/// The type of a TLS record that holds a handshake's message, and the length of
/// a record's head.
const HANDSHAKE: u8 = 22;
const RECORD_HEAD: usize = 5;
/// A usual hello has 300 to 1,800 bytes. The handshake reads what goes beyond
/// this.
const MAX_HELLO: usize = 4_096;
const READ_AT_ONCE: usize = 1_024;

/// A number of places. When all are taken, a newcomer gets the place of the
/// oldest.
#[derive(Debug)]
pub(super) struct HelloQueue {
    places: usize,
    /// By order of arrival.
    waiting: Mutex<BTreeMap<u64, Arc<Notify>>>,
    next: AtomicU64,
}

/// Takes the place back when it is dropped.
struct HelloPlace<'a> {
    lobby: &'a HelloQueue,
    number: u64,
}

impl Drop for HelloPlace<'_> {
    fn drop(&mut self) {
        self.lobby.waiting().remove(&self.number);
    }
}

impl HelloQueue {
    pub(super) const fn new(places: usize) -> Self {
        Self { places, waiting: Mutex::new(BTreeMap::new()), next: AtomicU64::new(0) }
    }

    /// The first bytes from the sender, up to the end of a TLS record. `None`
    /// if they took too long, or if a newcomer took the place.
    pub(super) async fn hello(&self, stream: &mut TcpStream) -> Option<Vec<u8>> {
        let give_way = Arc::new(Notify::new());
        let number = self.next.fetch_add(1, Relaxed);
        {
            let mut waiting = self.waiting();
            waiting.insert(number, Arc::clone(&give_way));
            if waiting.len() > self.places
                && let Some((_, oldest)) = waiting.pop_first()
            {
                oldest.notify_one();
            }
        }
        let _place = HelloPlace { lobby: self, number };
        tokio::select! {
            said = timeout(HANDSHAKE_WITHIN, read_record(stream)) => said.ok()?.ok(),
            () = give_way.notified() => {
                metrics::counter!("sentry_bot_ingress_connections_closed_total", "why" => "silent").increment(1);
                None
            }
        }
    }

    fn waiting(&self) -> MutexGuard<'_, BTreeMap<u64, Arc<Notify>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn read_record(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut said = Vec::new();
    while !is_record(&said) {
        said.reserve(READ_AT_ONCE);
        if stream.read_buf(&mut said).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(said)
}

/// Whether these bytes are a whole record, or no handshake at all.
fn is_record(said: &[u8]) -> bool {
    match said {
        [] => false,
        [HANDSHAKE, _, _, high, low, ..] => {
            let length = usize::from(u16::from_be_bytes([*high, *low]));
            said.len() >= (RECORD_HEAD + length).min(MAX_HELLO)
        }
        [first, ..] => *first != HANDSHAKE,
    }
}
