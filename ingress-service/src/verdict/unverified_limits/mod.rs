//! How much is stored without a verdict: little for channels that were never
//! seen authorized, so that strangers cannot fill the disk.

#[cfg(test)]
mod tests;

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use shared::ChannelId;

/// The most alerts within [`WINDOW`] for a channel that was never seen
/// authorized.
const ALERTS: usize = 10;
const WINDOW: Duration = Duration::from_secs(60);
/// The most channels that get [`ALERTS`] within [`WINDOW`]. More get nothing.
/// The two numbers together bound memory and disk.
const STRANGERS: usize = 4_096;
/// The shortest time between two sweeps of strangers, because a sweep looks at
/// all of them.
const SWEEP_EVERY: Duration = Duration::from_secs(1);
/// At least this many authorized channels are remembered, and at most twice as
/// many.
const REMEMBERED: usize = 100_000;

/// The most bytes to store from one verdict to the next.
const MAX_BYTES: u64 = 64 << 20;

/// Remembers which channels were authorized, and counts the alerts of the
/// others.
#[derive(Debug, Default)]
pub(crate) struct UnverifiedLimits(Mutex<UnverifiedCounts>);

#[derive(Debug, Default)]
struct UnverifiedCounts {
    /// Two generations: the older is forgotten when the newer is full.
    authorized: [HashSet<ChannelId>; 2],
    /// When the latest alerts of each stranger came.
    strangers: HashMap<ChannelId, VecDeque<Instant>>,
    swept: Option<Instant>,
    /// Bytes of alerts since a verdict last answered.
    bytes: u64,
}

impl UnverifiedLimits {
    /// Learns from a verdict whether the channel is authorized.
    pub(crate) fn learn(&self, channel: ChannelId, authorized: bool) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let [newer, older] = &mut state.authorized;
        if !authorized {
            newer.remove(&channel);
            older.remove(&channel);
            return;
        }
        if newer.len() >= REMEMBERED {
            *older = std::mem::take(newer);
        }
        newer.insert(channel);
        state.strangers.remove(&channel);
    }

    /// A verdict came, so the count of bytes begins at zero again.
    pub(crate) fn answered(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).bytes = 0;
    }

    /// Whether there is room for this many bytes without a verdict. If so, counts
    /// them.
    pub(crate) fn has_room(&self, size: usize) -> bool {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = state.bytes.saturating_add(size as u64);
        let fits = bytes <= MAX_BYTES;
        if fits {
            state.bytes = bytes;
        }
        fits
    }

    /// Whether the last verdict said that the channel is authorized.
    pub(crate) fn knows(&self, channel: ChannelId) -> bool {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.authorized.iter().any(|generation| generation.contains(&channel))
    }

    /// Whether so many alerts for which there is no verdict may be stored.
    pub(crate) fn admits(&self, channel: ChannelId, alerts: usize, now: Instant) -> bool {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.authorized.iter().any(|generation| generation.contains(&channel)) {
            return true;
        }
        let UnverifiedCounts { strangers, swept, .. } = &mut *state;
        let recent = |at: &Instant| now.saturating_duration_since(*at) < WINDOW;
        if !strangers.contains_key(&channel) && strangers.len() >= STRANGERS {
            if swept.is_none_or(|last| now.saturating_duration_since(last) >= SWEEP_EVERY) {
                strangers.retain(|_, times| times.back().is_some_and(recent));
                *swept = Some(now);
            }
            if strangers.len() >= STRANGERS {
                return false;
            }
        }
        let times = strangers.entry(channel).or_default();
        times.retain(recent);
        let admitted = times.len() + alerts <= ALERTS;
        if admitted {
            times.extend(std::iter::repeat_n(now, alerts));
        }
        admitted
    }
}
