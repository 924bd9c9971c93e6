//! What is stored when nobody says who may post: little for channels that were
//! never seen authorized, so that strangers cannot fill the disk.

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
pub(crate) struct Backstop(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// Two generations: the older is forgotten when the newer is full.
    authorized: [HashSet<ChannelId>; 2],
    /// When the latest alerts of each stranger came.
    strangers: HashMap<ChannelId, VecDeque<Instant>>,
    swept: Option<Instant>,
    /// Bytes of alerts since a verdict last answered.
    bytes: u64,
}

impl Backstop {
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

    /// Whether there is room for an alert of this size without a verdict; then it
    /// is counted.
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

    /// Whether an alert for which there is no verdict may be stored.
    pub(crate) fn admits(&self, channel: ChannelId, now: Instant) -> bool {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.authorized.iter().any(|generation| generation.contains(&channel)) {
            return true;
        }
        let State { strangers, swept, .. } = &mut *state;
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
        let admitted = times.len() < ALERTS;
        if admitted {
            times.push_back(now);
        }
        admitted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHANNEL: ChannelId = ChannelId::new(1);

    #[test]
    fn a_stranger_gets_ten_alerts_in_any_minute() {
        let backstop = Backstop::default();
        let start = Instant::now();
        let admitted: Vec<_> = (0..130)
            .filter(|second| backstop.admits(CHANNEL, start + Duration::from_secs(*second)))
            .collect();
        assert_eq!(admitted, [(0..10), (60..70), (120..130)].into_iter().flatten().collect::<Vec<_>>());
        assert!(backstop.admits(ChannelId::new(2), start));
    }

    #[test]
    fn an_authorized_channel_is_not_limited_until_it_is_revoked() {
        let backstop = Backstop::default();
        let now = Instant::now();
        backstop.learn(CHANNEL, true);
        assert!((0..1_000).all(|_| backstop.admits(CHANNEL, now)));
        backstop.learn(CHANNEL, false);
        assert_eq!((0..1_000).filter(|_| backstop.admits(CHANNEL, now)).count(), ALERTS);
    }

    #[test]
    fn no_more_than_64_mib_are_stored_until_a_verdict_answers() {
        let backstop = Backstop::default();
        let room = || (0..10_000).filter(|_| backstop.has_room(8 << 10)).count();
        assert_eq!((room(), room()), (8_192, 0));
        backstop.learn(CHANNEL, true);
        assert_eq!(room(), 0, "what another pod knows is no verdict");
        backstop.answered();
        assert_eq!(room(), 8_192);
    }

    #[test]
    fn memory_is_bounded_and_later_strangers_take_the_place_of_earlier_ones() {
        let backstop = Backstop::default();
        let start = Instant::now();
        let admitted = |at| (0..10_000).filter(|id| backstop.admits(ChannelId::new(*id), at)).count();
        assert_eq!(admitted(start), STRANGERS);
        assert_eq!(admitted(start + WINDOW), STRANGERS);
        for id in 0..3 * REMEMBERED as u64 {
            backstop.learn(ChannelId::new(id), true);
        }
        let state = backstop.0.lock().expect("not poisoned");
        assert!(state.strangers.len() <= STRANGERS);
        assert!(state.authorized.iter().map(HashSet::len).sum::<usize>() <= 2 * REMEMBERED);
    }
}
