//! Channels that were refused just now: a flood for one is answered from memory,
//! for so short a time at once that nobody can authorize the channel in between.

#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use shared::ChannelId;

/// While a channel is refused, verdicts are asked for it no more often than this.
const ASK_EVERY: Duration = Duration::from_millis(20);
/// So many channels are remembered; when there are more, all are forgotten, and
/// verdicts are asked.
const CHANNELS: usize = 4_096;

/// When a verdict was last asked for each channel that was refused.
#[derive(Debug, Default)]
pub(crate) struct RefusedChannels(Mutex<HashMap<ChannelId, Instant>>);

impl RefusedChannels {
    /// Whether to ask for a verdict; otherwise the last one was a refusal, and
    /// still holds.
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

    /// A verdict said whether the channel is authorized.
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
