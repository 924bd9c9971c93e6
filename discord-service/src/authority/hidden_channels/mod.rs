//! Channels that a guild lists but that Discord does not show to the bot: they are
//! deleted, or hidden from it. The bot asks for each ever more rarely, since Discord
//! counts refusals and bans an address that has too many.

use std::time::Duration;

use moka::future::Cache;
use shared::{ChannelId, GuildId};
use tokio::time::Instant;

/// How long the first refusal counts; each further one counts twice as long.
const FIRST: Duration = Duration::from_secs(10);
const LONGEST: Duration = Duration::from_secs(60 * 60);
/// How long a refusal is remembered, for the length of the next.
const REMEMBERED: Duration = Duration::from_secs(2 * 60 * 60);

#[derive(Debug, Clone)]
struct HiddenChannel {
    why: String,
    /// The guilds that list the channel.
    listing: Vec<GuildId>,
    holds: Duration,
    until: Instant,
}

/// The channels that Discord refused to show, and until when each refusal counts.
#[derive(Debug)]
pub(super) struct HiddenChannels(Cache<ChannelId, HiddenChannel>);

impl HiddenChannels {
    /// Remembers so many channels. The oldest go first.
    pub(super) fn new(channels: u64) -> Self {
        Self(Cache::builder().max_capacity(channels).time_to_live(REMEMBERED).build())
    }

    /// Why Discord does not show the channel, if the last refusal still counts.
    pub(super) async fn why(&self, channel: ChannelId, now: Instant) -> Option<String> {
        let hidden = self.0.get(&channel).await.filter(|hidden| now < hidden.until);
        hidden.map(|hidden| hidden.why)
    }

    /// Discord refused to show the channel, which these guilds list.
    pub(super) async fn note(&self, channel: ChannelId, listing: &[GuildId], why: &str, now: Instant) {
        let holds = match self.0.get(&channel).await {
            // Another question that was under way at the same time.
            Some(before) if now < before.until => return,
            Some(before) => LONGEST.min(before.holds * 2),
            None => FIRST,
        };
        let hidden =
            HiddenChannel { why: why.to_owned(), listing: listing.to_vec(), holds, until: now + holds };
        self.0.insert(channel, hidden).await;
    }

    /// Forgets the refusal of this channel.
    pub(super) async fn forget(&self, channel: ChannelId) {
        self.0.invalidate(&channel).await;
    }

    /// Forgets the refusals of all channels that the guild lists.
    pub(super) async fn forget_guild(&self, guild: GuildId) {
        for (channel, hidden) in &self.0 {
            if hidden.listing.contains(&guild) {
                self.0.invalidate(channel.as_ref()).await;
            }
        }
    }
}

#[cfg(test)]
mod tests;
