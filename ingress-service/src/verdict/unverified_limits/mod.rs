//! What is stored when nobody says who may post: little for channels that were
//! never seen authorized, so that strangers cannot fill the disk.

#[cfg(test)]
mod tests;

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use shared::ChannelId;

/// Alerts within [`WINDOW`] for a channel not seen authorized.
const ALERTS: usize = 10;
const WINDOW: Duration = Duration::from_secs(60);
/// So many channels not seen authorized get their share within [`WINDOW`]; the
/// others none. With [`ALERTS`] this bounds both the memory and the disk.
const STRANGERS: usize = 4_096;
/// Strangers are forgotten no more often than this: it looks at all of them.
const SWEEP_EVERY: Duration = Duration::from_secs(1);
/// So many authorized channels are remembered at least, and twice as many at most.
const REMEMBERED: usize = 100_000;

/// So many bytes are stored at most from one verdict to the next.
const MAX_BYTES: u64 = 64 << 20;

/// Remembers which channels were authorized and counts for those that were not.
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
    /// A verdict said whether the channel is authorized.
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

    /// A verdict answered: what comes without one from now on is counted from zero.
    pub(crate) fn answered(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).bytes = 0;
    }

    /// Whether there is room for so many bytes without a verdict; then they are
    /// counted.
    pub(crate) fn has_room(&self, size: usize) -> bool {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = state.bytes.saturating_add(size as u64);
        let fits = bytes <= MAX_BYTES;
        if fits {
            state.bytes = bytes;
        }
        fits
    }

    /// Whether the channel was authorized when a verdict last said.
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
