//! What a channel is told only now and then: anybody can type a command all day.

use std::time::Duration;

use moka::future::Cache;
use shared::ChannelId;

/// A channel hears the same at most once in this time.
const EVERY: Duration = Duration::from_secs(60);
/// Channels that are remembered.
const MAX_CHANNELS: u64 = 10_000;

/// One thing to tell, and the channels that heard it lately.
pub(super) struct Notice(Cache<ChannelId, ()>);

impl Default for Notice {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(MAX_CHANNELS).time_to_live(EVERY).build())
    }
}

impl Notice {
    /// Whether to tell the channel now. `true` once in each minute.
    pub(super) async fn is_due(&self, channel: ChannelId) -> bool {
        self.0.entry(channel).or_insert(()).await.is_fresh()
    }

    /// Whether the channel heard it within the last minute.
    pub(super) fn was_told(&self, channel: ChannelId) -> bool {
        self.0.contains_key(&channel)
    }
}
