//! Channels that a guild lists and that Discord does not show to the bot: gone, or
//! closed to it. Each is asked for ever more rarely, since every refusal counts
//! towards the number at which Discord bans an address.

use std::time::Duration;

use moka::future::Cache;
use shared::{ChannelId, GuildId};
use tokio::time::Instant;

/// How long the first refusal holds; each further one holds twice as long.
const FIRST: Duration = Duration::from_secs(10);
const LONGEST: Duration = Duration::from_secs(60 * 60);
/// How long a refusal is remembered, for the length of the next.
const REMEMBERED: Duration = Duration::from_secs(2 * 60 * 60);

#[derive(Debug, Clone)]
struct Refused {
    why: String,
    /// The guilds that list the channel.
    listing: Vec<GuildId>,
    holds: Duration,
    until: Instant,
}

/// What Discord refused to show, and until when that is taken for its answer.
#[derive(Debug)]
pub(super) struct Unreachable(Cache<ChannelId, Refused>);

impl Unreachable {
    /// Remembers so many channels; the oldest go first.
    pub(super) fn new(channels: u64) -> Self {
        Self(Cache::builder().max_capacity(channels).time_to_live(REMEMBERED).build())
    }

    /// Why Discord does not show the channel, where it need not be asked again.
    pub(super) async fn why(&self, channel: ChannelId, now: Instant) -> Option<String> {
        let refused = self.0.get(&channel).await.filter(|refused| now < refused.until);
        refused.map(|refused| refused.why)
    }

    /// Discord refused to show the channel, which these guilds list.
    pub(super) async fn note(&self, channel: ChannelId, listing: &[GuildId], why: &str, now: Instant) {
        let holds = match self.0.get(&channel).await {
            // Another question that was under way at the same time.
            Some(before) if now < before.until => return,
            Some(before) => LONGEST.min(before.holds * 2),
            None => FIRST,
        };
        let refused = Refused { why: why.to_owned(), listing: listing.to_vec(), holds, until: now + holds };
        self.0.insert(channel, refused).await;
    }

    /// The channel may be within reach again.
    pub(super) async fn forget(&self, channel: ChannelId) {
        self.0.invalidate(&channel).await;
    }

    /// Each channel that the guild lists may be within reach again.
    pub(super) async fn forget_guild(&self, guild: GuildId) {
        for (channel, refused) in &self.0 {
            if refused.listing.contains(&guild) {
                self.0.invalidate(channel.as_ref()).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHANNEL: ChannelId = ChannelId::new(1);
    const GUILD: GuildId = GuildId::new(9);

    /// How often Discord is asked within so long, by somebody who asks every second.
    async fn asked(unreachable: &Unreachable, start: Instant, within: Duration) -> usize {
        let mut asked = 0;
        for now in (0..within.as_secs()).map(|second| start + Duration::from_secs(second)) {
            if unreachable.why(CHANNEL, now).await.is_none() {
                unreachable.note(CHANNEL, &[GUILD], "Missing Access", now).await;
                asked += 1;
            }
        }
        asked
    }

    #[tokio::test]
    async fn a_channel_is_asked_for_ever_more_rarely() {
        let (unreachable, start) = (Unreachable::new(10), Instant::now());
        let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
        // After 0, 10, 30, 70, 150 and 310 seconds.
        assert_eq!(asked(&unreachable, start, minutes(10)).await, 6);
        assert_eq!(unreachable.why(CHANNEL, start + minutes(10)).await.as_deref(), Some("Missing Access"));
        let later = start + minutes(24 * 60);
        assert!((26..=28).contains(&asked(&unreachable, later, minutes(24 * 60)).await), "hourly in the end");
    }

    #[tokio::test]
    async fn questions_at_the_same_time_lengthen_nothing() {
        let (unreachable, now) = (Unreachable::new(10), Instant::now());
        for _ in 0..100 {
            unreachable.note(CHANNEL, &[GUILD], "Missing Access", now).await;
        }
        assert!(unreachable.why(CHANNEL, now + FIRST - Duration::from_millis(1)).await.is_some());
        assert!(unreachable.why(CHANNEL, now + FIRST).await.is_none());
    }

    #[tokio::test]
    async fn what_may_be_within_reach_is_asked_for_at_once() {
        let (unreachable, now) = (Unreachable::new(10), Instant::now());
        let other = ChannelId::new(2);
        let note = async || {
            for (channel, guild) in [(CHANNEL, GUILD), (other, GuildId::new(8))] {
                unreachable.note(channel, &[guild, GuildId::new(7)], "Missing Access", now).await;
            }
        };
        let known = async || {
            [unreachable.why(CHANNEL, now).await.is_some(), unreachable.why(other, now).await.is_some()]
        };
        note().await;
        unreachable.forget(CHANNEL).await;
        assert_eq!(known().await, [false, true]);
        note().await;
        unreachable.forget_guild(GUILD).await;
        assert_eq!(known().await, [false, true]);
        note().await;
        unreachable.forget_guild(GuildId::new(7)).await;
        assert_eq!(known().await, [false, false]);
        // It begins anew as well.
        assert_eq!(asked(&unreachable, now, Duration::from_secs(30)).await, 2);
    }
}
