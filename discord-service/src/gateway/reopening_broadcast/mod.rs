//! Tells all pods what may open a channel that refused alerts, and which channels
//! were deleted.
//!
//! Events come in crowds. Moving a role makes one for each role between, and a
//! shard that begins gets one for each of its guilds. So what happens in a
//! guild within a moment is told once. A deletion is told at once.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    convert::Infallible,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use shared::{GuildId, wire};
use tokio::{sync::Notify, time::sleep};

use super::events_in_flight::Handling;
use crate::reopening::Reopening;

/// Changes within this time go out together.
const MOMENT: Duration = Duration::from_millis(300);
/// With more channels than these, the broadcast names the whole guild.
const MAX_CHANNELS: usize = 100;

/// What is not told yet.
pub(super) struct ReopeningBroadcast {
    nats: async_nats::Client,
    waiting: Mutex<BTreeMap<GuildId, PendingReopening>>,
    news: Notify,
    deletion: Notify,
}

/// What a broadcast will say about a guild.
struct PendingReopening {
    told: Reopening,
    /// The events that said so: a pod that dies before it told leaves them to its successor.
    _handling: Vec<Handling>,
}

impl ReopeningBroadcast {
    pub(super) fn new(nats: async_nats::Client) -> Self {
        Self { nats, waiting: Mutex::default(), news: Notify::new(), deletion: Notify::new() }
    }

    /// An event said so.
    pub(super) fn add(&self, reopening: Reopening, handling: Handling) {
        if !reopening.deleted.is_empty() {
            self.deletion.notify_one();
        }
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        match waiting.entry(reopening.guild) {
            Entry::Vacant(entry) => {
                entry.insert(PendingReopening { told: reopening, _handling: vec![handling] });
            }
            Entry::Occupied(mut entry) => {
                let PendingReopening { told, _handling } = entry.get_mut();
                merge(told, reopening);
                _handling.push(handling);
            }
        }
        self.news.notify_one();
    }

    /// Tells it, moment by moment.
    pub(super) async fn run(&self) -> Infallible {
        loop {
            self.news.notified().await;
            tokio::select! {
                () = sleep(MOMENT) => {}
                () = self.deletion.notified() => {}
            }
            self.tell().await;
        }
    }

    /// Tells what waits now.
    pub(super) async fn tell(&self) {
        let waiting = std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        for (guild, PendingReopening { told, _handling }) in waiting {
            if let Err(error) = self.nats.publish(wire::REOPENING, told.encode().into()).await {
                tracing::debug!(%guild, %error, "cannot tell the other pods what has changed");
            }
        }
    }
}

/// Adds what else was said of the same guild.
fn merge(told: &mut Reopening, more: Reopening) {
    told.spread &= more.spread;
    told.deleted.extend(more.deleted);
    told.channels = match (told.channels.take(), more.channels) {
        (Some(mut channels), Some(more)) => {
            channels.extend(more);
            channels.sort();
            channels.dedup();
            (channels.len() <= MAX_CHANNELS).then_some(channels)
        }
        _ => None,
    };
}

#[cfg(test)]
mod tests;
