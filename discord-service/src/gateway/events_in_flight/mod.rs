//! Which events of a shard's session are still being handled.
//!
//! A pod that dies takes them with it. So what is kept of the session for a
//! successor ends before the first of them and names them: the successor hears
//! all since then again, and handles these.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use tokio::{sync::watch, time::Instant};

/// After so long an event holds nothing back any more: longer than any command
/// takes while what is behind answers, and no more than Discord surely repeats.
const LONGEST: Duration = Duration::from_secs(20);

/// The numbers of the events whose handling has not ended, and when it began.
#[derive(Debug, Clone, Default)]
pub(super) struct Unfinished(watch::Sender<BTreeMap<u64, Instant>>);

/// An event that is being handled, until it is dropped.
#[derive(Debug)]
pub(super) struct Handling {
    unfinished: Unfinished,
    seq: u64,
}

impl Unfinished {
    /// The event of this number is handled from now on.
    pub(super) fn begin(&self, seq: u64) -> Handling {
        self.0.send_modify(|events| {
            events.insert(seq, Instant::now());
        });
        Handling { unfinished: self.clone(), seq }
    }

    /// The events that are being handled.
    pub(super) fn events(&self) -> BTreeSet<u64> {
        let events = self.0.borrow();
        events.iter().filter(|(_, began)| began.elapsed() < LONGEST).map(|(seq, _)| *seq).collect()
    }

    /// Hears of each beginning and end.
    pub(super) fn changes(&self) -> watch::Receiver<BTreeMap<u64, Instant>> {
        self.0.subscribe()
    }
}

impl Drop for Handling {
    fn drop(&mut self) {
        self.unfinished.0.send_modify(|events| {
            events.remove(&self.seq);
        });
    }
}

#[cfg(test)]
mod tests;
