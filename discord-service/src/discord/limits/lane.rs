//! One rate-limit bucket for one major parameter.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};

use crate::discord::answer::Window;

/// Added to every reset: clocks and networks are not exact.
const SAFETY: Duration = Duration::from_millis(25);
/// Two answers of one window name the same reset, apart from the network's
/// jitter.
const SAME_WINDOW: Duration = Duration::from_millis(250);

/// One bucket for one major parameter: who waits for it, and what is known of it.
#[derive(Debug, Default)]
pub(super) struct Lane {
    /// Held by the one request that may look at the state next: first come,
    /// first served.
    pub(super) turn: tokio::sync::Mutex<()>,
    /// Woken when a request has ended.
    pub(super) ended: Notify,
    state: Mutex<State>,
}

/// Whether a request may go.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Take {
    /// It may, and is counted.
    Go,
    /// Not before then.
    At(Instant),
    /// Not before one of those in flight has ended.
    AfterAnother,
}

#[derive(Debug, Default)]
struct State {
    in_flight: u32,
    /// `None` until an answer told: then only one request at a time goes.
    known: Option<Known>,
}

#[derive(Debug)]
struct Known {
    limit: u32,
    left: u32,
    /// `None` when the last window is over and no answer told of the next one.
    resets: Option<Instant>,
}

impl Lane {
    /// Counts one more request if it may go now.
    pub(super) fn take(&self, now: Instant) -> Take {
        let mut state = self.state();
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
        if known.left == 0 && known.resets.is_none() && in_flight == 0 {
            // None of a window's requests had an answer that tells: ask with one.
            known.left = 1;
        }
        match (known.left, known.resets) {
            (0, Some(resets)) => Take::At(resets),
            (0, None) => Take::AfterAnother,
            _ => {
                known.left -= 1;
                state.in_flight += 1;
                Take::Go
            }
        }
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
        self.ended.notify_one();
    }

    /// Takes over what the answer to one of the requests told. `own`: that one
    /// is counted here and has not [ended](Self::end) yet.
    pub(super) fn learn(&self, window: Window, own: bool, now: Instant) {
        let mut state = self.state();
        let others = state.in_flight.saturating_sub(u32::from(own));
        let resets = now + window.reset_after + SAFETY;
        match &mut state.known {
            Some(Known { resets: Some(current), .. }) if resets + SAME_WINDOW < *current => {
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
                *known = Some(Known { limit: window.limit, left, resets: Some(resets) });
            }
        }
    }

    /// Lets nothing go before then, after a 429.
    pub(super) fn block(&self, until: Instant) {
        let mut state = self.state();
        let limit = state.known.as_ref().map_or(1, |known| known.limit);
        state.known = Some(Known { limit, left: 0, resets: Some(until) });
    }

    /// Whether forgetting it loses nothing that still counts.
    pub(super) fn is_idle(&self, now: Instant) -> bool {
        let state = self.state();
        let over = |known: &Known| known.resets.is_none_or(|resets| resets <= now);
        state.in_flight == 0 && state.known.as_ref().is_none_or(over)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn told(limit: u32, remaining: u32) -> Window {
        Window { limit, remaining, reset_after: SECOND }
    }

    #[test]
    fn only_one_request_goes_before_anything_is_known() {
        let (lane, now) = (Lane::default(), Instant::now());
        assert_eq!(lane.take(now), Take::Go);
        assert_eq!(lane.take(now), Take::AfterAnother);
        lane.end();
        assert_eq!(lane.take(now), Take::Go);
    }

    #[test]
    fn no_more_go_than_the_answer_left() {
        let (lane, now) = (Lane::default(), Instant::now());
        assert_eq!(lane.take(now), Take::Go);
        lane.learn(told(3, 2), true, now);
        lane.end();
        assert!((lane.used(now) - 1.0 / 3.0).abs() < 1e-9);
        assert_eq!([lane.take(now), lane.take(now)], [Take::Go, Take::Go]);
        assert_eq!(lane.take(now), Take::At(now + SECOND + SAFETY));
        assert_eq!((lane.used(now), lane.used(now + 2 * SECOND)), (1.0, 0.0));
        let next = now + SECOND + SAFETY;
        assert_eq!(lane.take(next), Take::Go, "two of the last window are still on their way");
        assert_eq!(lane.take(next), Take::AfterAnother);
    }

    #[test]
    fn an_answer_of_the_same_window_gives_nothing_back() {
        let (lane, now) = (Lane::default(), Instant::now());
        lane.learn(told(5, 3), false, now);
        assert_eq!([lane.take(now), lane.take(now)], [Take::Go, Take::Go]);
        lane.learn(told(5, 2), true, now);
        lane.end();
        assert_eq!(lane.take(now), Take::Go);
        assert_eq!(lane.take(now), Take::At(now + SECOND + SAFETY));
    }

    #[test]
    fn a_late_answer_of_the_last_window_changes_nothing() {
        let (lane, now) = (Lane::default(), Instant::now());
        lane.learn(told(5, 3), false, now + SECOND);
        lane.learn(Window { reset_after: Duration::ZERO, ..told(5, 0) }, false, now);
        assert_eq!(lane.take(now + SECOND), Take::Go);
    }

    #[test]
    fn a_window_without_any_answer_is_asked_again_with_one_request() {
        let (lane, now) = (Lane::default(), Instant::now());
        lane.learn(told(1, 0), false, now);
        let later = now + 2 * SECOND;
        assert_eq!(lane.take(later), Take::Go);
        assert_eq!(lane.take(later), Take::AfterAnother);
        lane.end();
        assert_eq!(lane.take(later), Take::Go);
        assert_eq!(lane.take(later), Take::AfterAnother);
    }

    #[test]
    fn a_429_blocks_and_is_not_idle() {
        let (lane, now) = (Lane::default(), Instant::now());
        lane.block(now + SECOND);
        assert_eq!(lane.take(now), Take::At(now + SECOND));
        assert!(!lane.is_idle(now));
        assert!(lane.is_idle(now + SECOND));
    }
}
