//! Which events of a shard's session are still being handled.
//!
//! A pod that dies takes them with it. So the stored session ends before the
//! first of them and names them. The successor gets all events since then
//! again, and handles these.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use tokio::{
    sync::{Notify, watch},
    time::Instant,
};

/// After this long an event holds nothing back. It is longer than any command
/// takes while the services behind answer. Discord is sure to repeat events of
/// this age.
const LONGEST: Duration = Duration::from_secs(20);

/// The numbers of the events whose handling has not ended, and when it began.
#[derive(Debug, Clone, Default)]
pub(super) struct EventsInFlight {
    events: watch::Sender<BTreeMap<u64, Instant>>,
    command_ended: Arc<Notify>,
}

/// An event that is being handled, until it is dropped.
#[derive(Debug)]
pub(super) struct Handling {
    in_flight: EventsInFlight,
    seq: u64,
}

impl EventsInFlight {
    /// The event of this number is handled from now on.
    pub(super) fn begin(&self, seq: u64) -> Handling {
        self.events.send_modify(|events| {
            events.insert(seq, Instant::now());
        });
        Handling { in_flight: self.clone(), seq }
    }

    /// The events that are being handled.
    pub(super) fn events(&self) -> BTreeSet<u64> {
        let events = self.events.borrow();
        events.iter().filter(|(_, began)| began.elapsed() < LONGEST).map(|(seq, _)| *seq).collect()
    }

    /// Waits until a command has ended since the last call.
    pub(super) async fn command_ended(&self) {
        self.command_ended.notified().await;
    }

    /// Hears of each beginning and end.
    pub(super) fn changes(&self) -> watch::Receiver<BTreeMap<u64, Instant>> {
        self.events.subscribe()
    }
}

impl Handling {
    /// A command has ended. A successor must know at once: to repeat the command
    /// would undo the commands after it.
    pub(super) fn end_command(self) {
        let ended = Arc::clone(&self.in_flight.command_ended);
        drop(self);
        ended.notify_one();
    }
}

impl Drop for Handling {
    fn drop(&mut self) {
        self.in_flight.events.send_modify(|events| {
            events.remove(&self.seq);
        });
    }
}

#[cfg(test)]
mod tests;
