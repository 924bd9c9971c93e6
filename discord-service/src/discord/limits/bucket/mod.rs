//! One rate-limit bucket for one major parameter.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};

use super::Priority;
use crate::discord::answer::Window;

/// Added to every reset: clocks and networks are not exact.
const SAFETY: Duration = Duration::from_millis(25);
/// Two answers of one window name the same reset, apart from the network's
/// jitter.
const SAME_WINDOW: Duration = Duration::from_millis(250);

/// One bucket for one major parameter: who waits for it, and what is known of it.
#[derive(Debug, Default)]
pub(super) struct RateBucket {
    alerts: Line,
    commands: Line,
    state: Mutex<RateBucketState>,
}

/// Those of one priority who wait.
#[derive(Debug, Default)]
struct Line {
    /// Held by the one that may look at the state next: first come, first served.
    turn: tokio::sync::Mutex<()>,
    /// Wakes that one to look again.
    woken: Notify,
}

/// A place in line.
#[derive(Debug)]
pub(super) struct PlaceInLine {
    bucket: Arc<RateBucket>,
    priority: Priority,
}

/// Whether a request may go.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Take {
    /// It may, and is counted.
    Go,
    /// Not before then.
    At(Instant),
    /// Not before another one has gone or ended.
    AfterAnother,
}

#[derive(Debug, Default)]
struct RateBucketState {
    in_flight: u32,
    alerts_wait: u32,
    commands_wait: u32,
    /// `None` until an answer told: then only one request at a time goes.
    known: Option<CountedWindow>,
}

#[derive(Debug)]
struct CountedWindow {
    limit: u32,
    left: u32,
    /// `None` when the last window is over and no answer has named the next
    /// one.
    resets: Option<Instant>,
}

impl RateBucketState {
    fn waiting(&mut self, priority: Priority) -> &mut u32 {
        match priority {
            Priority::Alert => &mut self.alerts_wait,
            Priority::Command => &mut self.commands_wait,
        }
    }
}

impl CountedWindow {
    /// How much of a window the requests of this priority leave to others. An alert
    /// that comes when commands have had their share still finds room.
    fn reserve(&self, priority: Priority) -> u32 {
        match priority {
            Priority::Alert => 0,
            Priority::Command => (self.limit.saturating_mul(2)).div_ceil(5).min(self.limit.saturating_sub(1)),
        }
    }
}

impl Drop for PlaceInLine {
    fn drop(&mut self) {
        *self.bucket.state().waiting(self.priority) -= 1;
        // The last alert in line makes way for commands.
        self.bucket.commands.woken.notify_one();
    }
}

impl RateBucket {
    /// Counts one more that waits.
    pub(super) fn queue(self: &Arc<Self>, priority: Priority) -> PlaceInLine {
        *self.state().waiting(priority) += 1;
        PlaceInLine { bucket: Arc::clone(self), priority }
    }

    /// Comes when this one is the first in line of its priority.
    pub(super) async fn turn(&self, priority: Priority) -> tokio::sync::MutexGuard<'_, ()> {
        self.line(priority).turn.lock().await
    }

    /// Comes when the first in line may look again.
    pub(super) async fn woken(&self, priority: Priority) {
        self.line(priority).woken.notified().await;
    }

    /// Counts one more request if it may go now.
    pub(super) fn take(&self, priority: Priority, now: Instant) -> Take {
        let mut state = self.state();
        if priority == Priority::Command && state.alerts_wait > 0 {
            return Take::AfterAnother;
        }
        let in_flight = state.in_flight;
        let Some(known) = &mut state.known else {
            if in_flight > 0 {
                return Take::AfterAnother;
            }
            state.in_flight = 1;
            return Take::Go;
        };
        if known.resets.is_some_and(|resets| resets <= now) {
            // Those still on their way may be counted in the new window.
            known.left = known.limit.saturating_sub(in_flight);
            known.resets = None;
        }
        // None of a window's requests had an answer that tells: ask with one.
        let asks = known.resets.is_none() && in_flight == 0;
        if !asks && known.left <= known.reserve(priority) {
            return known.resets.map_or(Take::AfterAnother, Take::At);
        }
        known.left = known.left.saturating_sub(1);
        state.in_flight += 1;
        Take::Go
    }

    /// When its window ends, if nothing is left in it.
    pub(super) fn free_at(&self) -> Option<Instant> {
        self.state().known.as_ref().filter(|known| known.left == 0)?.resets
    }

    /// Which share of the present window is used; nothing of one that nobody has
    /// opened yet.
    pub(super) fn used(&self, now: Instant) -> f64 {
        let state = self.state();
        let open = state.known.as_ref().filter(|known| known.resets.is_some_and(|resets| resets > now));
        open.map_or(0.0, |known| {
            f64::from(known.limit.saturating_sub(known.left)) / f64::from(known.limit.max(1))
        })
    }

    /// One of the requests has ended, with or without an answer.
    pub(super) fn end(&self) {
        let mut state = self.state();
        state.in_flight = state.in_flight.saturating_sub(1);
        drop(state);
        self.alerts.woken.notify_one();
        self.commands.woken.notify_one();
    }

    /// Takes over what the answer to one of the requests told. `own`: that one
    /// is counted here and has not [ended](Self::end) yet.
    pub(super) fn learn(&self, window: Window, own: bool, now: Instant) {
        let mut state = self.state();
        let others = state.in_flight.saturating_sub(u32::from(own));
        let resets = now + window.reset_after + SAFETY;
        match &mut state.known {
            Some(CountedWindow { resets: Some(current), .. }) if resets + SAME_WINDOW < *current => {
                // A late answer from a window that is over.
            }
            Some(known) if known.resets.is_none_or(|current| resets <= current + SAME_WINDOW) => {
                known.limit = window.limit;
                known.left = known.left.min(window.remaining);
                known.resets = Some(known.resets.map_or(resets, |current| current.max(resets)));
            }
            known => {
                // The others may not be counted in what remains.
                let left = window.remaining.saturating_sub(others);
                *known = Some(CountedWindow { limit: window.limit, left, resets: Some(resets) });
            }
        }
    }

    /// Lets nothing go before then, after a 429.
    pub(super) fn block(&self, until: Instant) {
        let mut state = self.state();
        let limit = state.known.as_ref().map_or(1, |known| known.limit);
        state.known = Some(CountedWindow { limit, left: 0, resets: Some(until) });
    }

    /// Whether forgetting it loses nothing that still counts.
    pub(super) fn is_idle(&self, now: Instant) -> bool {
        let state = self.state();
        let over = |known: &CountedWindow| known.resets.is_none_or(|resets| resets <= now);
        let unused = state.in_flight + state.alerts_wait + state.commands_wait == 0;
        unused && state.known.as_ref().is_none_or(over)
    }

    const fn line(&self, priority: Priority) -> &Line {
        match priority {
            Priority::Alert => &self.alerts,
            Priority::Command => &self.commands,
        }
    }

    fn state(&self) -> MutexGuard<'_, RateBucketState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
