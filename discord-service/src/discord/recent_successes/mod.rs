//! Whether Discord does anything for the bot, while one of its requests fails.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use serde::de::IgnoredAny;
use shared::ChannelId;
use tokio::time::Instant;

use super::Discord;

/// What succeeded so lately counts.
const LATELY: Duration = Duration::from_secs(60);

/// The last successes of two different paths.
#[derive(Debug, Default)]
pub(super) struct RecentSuccesses(Mutex<[Option<(String, Instant)>; 2]>);

impl RecentSuccesses {
    /// A request to this path was done.
    pub(super) fn saw(&self, path: &str) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen[0].as_ref().is_none_or(|(last, _)| last != path) {
            seen.swap(0, 1);
        }
        seen[0] = Some((path.to_owned(), Instant::now()));
    }

    /// Whether a request to another path was done lately.
    fn saw_another(&self, path: &str) -> bool {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.iter().flatten().any(|(other, at)| other != path && at.elapsed() < LATELY)
    }
}

impl Discord {
    /// Whether Discord does what else it is asked than posts of this channel. Where
    /// nothing else was asked lately, it is asked something.
    pub(crate) async fn others_succeed(&self, channel: ChannelId) -> bool {
        if self.inner.recent_successes.saw_another(&format!("/channels/{channel}/messages")) {
            return true;
        }
        self.get::<IgnoredAny>("/users/@me", "/users/@me").await.is_ok()
    }
}

#[cfg(test)]
mod tests;
