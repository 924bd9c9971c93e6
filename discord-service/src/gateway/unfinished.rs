//! Which events of a shard's session are still being handled.
//!
//! A pod that dies takes them with it. So what is kept of the session for a
//! successor ends before the first of them: the successor hears them again, and
//! answers those that were not answered, since a reply has a nonce.

use std::{collections::BTreeMap, time::Duration};

use tokio::{sync::watch, time::Instant};

/// After so long an event holds nothing back any more: a successor is to repeat
/// what just happened, not what people have long gone on from.
const LONGEST: Duration = Duration::from_secs(5);

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

    /// The event up to which all have been handled, when `heard` came last.
    pub(super) fn done_up_to(&self, heard: u64) -> u64 {
        let events = self.0.borrow();
        let first = events.iter().find(|(_, began)| began.elapsed() < LONGEST);
        first.map_or(heard, |(first, _)| heard.min(first.saturating_sub(1)))
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
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_ends_before_the_first_event_that_is_still_handled() {
        let unfinished = Unfinished::default();
        assert_eq!(unfinished.done_up_to(7), 7);
        let (fifth, sixth) = (unfinished.begin(5), unfinished.begin(6));
        assert_eq!(unfinished.done_up_to(7), 4);
        drop(fifth);
        assert_eq!(unfinished.done_up_to(7), 5);
        drop(sixth);
        assert_eq!(unfinished.done_up_to(7), 7);
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_takes_very_long_holds_nothing_back() {
        let unfinished = Unfinished::default();
        let _slow = unfinished.begin(5);
        assert_eq!(unfinished.done_up_to(7), 4);
        tokio::time::advance(LONGEST).await;
        assert_eq!(unfinished.done_up_to(7), 7);
    }
}
