//! What Discord lets the bot identify today, over all shards and pods, and what of
//! it is kept in reserve.
//!
//! Discord resets the token of a bot that uses up all of a day's IDENTIFYs.
//! Then nothing works until somebody sets a new one. So:
//!
//! - **The last are never used**: as many as may be under way at the same time.
//! - **A tenth of the day's, and at least one for each shard, is a reserve.**
//!   It is for a shard's first IDENTIFY in a process. So restarts, new versions
//!   and other numbers of shards work even after a bad day.
//! - **A shard that identifies again** leaves the reserve alone. Once more than
//!   half are used, it also spreads what is left over the rest of the day. A
//!   session that keeps ending then costs commands some minutes now and then,
//!   not the whole evening.

use std::time::Duration;

use serde::Deserialize;

use crate::discord::{Discord, DiscordError};

/// What Discord says about connecting.
/// <https://docs.discord.com/developers/events/gateway#get-gateway-bot>
#[derive(Debug, Deserialize)]
pub(super) struct GatewayInfo {
    pub(super) url: String,
    /// How many shards the bot should have.
    pub(super) shards: u32,
    #[serde(rename = "session_start_limit")]
    pub(super) limit: StartLimit,
}

/// How many IDENTIFYs the whole bot has.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct StartLimit {
    /// IDENTIFYs a day.
    pub(super) total: u32,
    /// Those that are left today.
    pub(super) remaining: u32,
    /// Milliseconds until there are all of them again.
    reset_after: u64,
    /// How many may be sent at the same time.
    pub(super) max_concurrency: u32,
}

impl GatewayInfo {
    pub(super) async fn ask(discord: &Discord) -> Result<Self, DiscordError> {
        let info: Self = discord.get("/gateway/bot", "/gateway/bot").await?;
        metrics::gauge!("sentry_bot_gateway_identifies_left").set(f64::from(info.limit.remaining));
        Ok(info)
    }
}

impl StartLimit {
    /// How long to wait before asking again whether one of `shards` shards may
    /// identify; `None`: it may now. `since`: how long ago this process sent an
    /// IDENTIFY for that shard, if it ever did.
    pub(super) fn wait(&self, shards: u32, since: Option<Duration>) -> Option<Duration> {
        let reset = Duration::from_millis(self.reset_after);
        let Some(since) = since else {
            return (self.remaining <= self.max_concurrency.max(1)).then_some(reset);
        };
        let free = self.remaining.saturating_sub(self.reserve(shards));
        match reset.checked_div(free) {
            None => Some(reset),
            Some(_) if self.remaining >= self.total / 2 => None,
            Some(share) => share.checked_sub(since).filter(|left| !left.is_zero()),
        }
    }

    /// What is kept for first IDENTIFYs. One more there must be, or a bot of
    /// very many shards would never identify again.
    fn reserve(&self, shards: u32) -> u32 {
        let last = self.max_concurrency.max(1);
        self.total.div_ceil(10).max(shards).max(last).min(self.total.saturating_sub(1))
    }
}

#[cfg(test)]
mod tests;
