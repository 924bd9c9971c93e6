//! Channels that were refused just now. A flood for one is answered from
//! memory, for so short a time that nobody could authorize the channel
//! meanwhile.

#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use shared::ChannelId;

/// The shortest time between two questions about a channel that is refused.
const ASK_EVERY: Duration = Duration::from_millis(20);
/// The most channels to remember. When there are more, all are forgotten and
/// asked about again.
const CHANNELS: usize = 4_096;

/// When each refused channel was last asked about.
#[derive(Debug, Default)]
pub(crate) struct RefusedChannels(Mutex<HashMap<ChannelId, Instant>>);

impl RefusedChannels {
    /// Whether to ask for a verdict. If not, the last one was a refusal and is
    /// still valid.
    pub(crate) fn may_ask(&self, channel: ChannelId, now: Instant) -> bool {
        let mut channels = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(asked) = channels.get_mut(&channel) else {
            return true;
        };
        let due = now.saturating_duration_since(*asked) >= ASK_EVERY;
        if due {
            *asked = now;
        }
        due
    }

    /// Learns from a verdict whether the channel is authorized.
    pub(crate) fn learn(&self, channel: ChannelId, authorized: bool, now: Instant) {
        let mut channels = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if authorized {
            channels.remove(&channel);
        } else {
            if channels.len() >= CHANNELS {
                channels.clear();
            }
            channels.entry(channel).or_insert(now);
        }
    }
}
