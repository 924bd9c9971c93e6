//! What the shards of this process work with.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::watch;

use super::{
    event_dispatch::EventDispatcher, identify_slots::IdentifySlots, reopening_broadcast::ReopeningBroadcast,
    resumable::Progress, shard_id::ShardId, status::GatewayStatus,
};
use crate::{discord::Discord, kv::Bucket, lease::Lease};

/// What all shards of the process share.
pub(super) struct GatewayContext {
    pub(super) discord: Discord,
    /// What the bot plays.
    pub(super) game: String,
    pub(super) events: EventDispatcher,
    /// The bucket in which the shards' sessions are stored.
    pub(super) bucket: Bucket,
    pub(super) slots: IdentifySlots,
    pub(super) status: GatewayStatus,
    pub(super) reopenings: ReopeningBroadcast,
    /// How many shards Discord wants, as it told one of the shards.
    pub(super) wanted: watch::Sender<u32>,
    pub(super) content_refused: AtomicBool,
}

impl GatewayContext {
    /// Whether to ask for the MESSAGE_CONTENT intent.
    pub(super) fn with_content(&self) -> bool {
        !self.content_refused.load(Ordering::Relaxed)
    }

    pub(super) fn do_without_content(&self) {
        if !self.content_refused.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                "Discord has not granted the bot the MESSAGE_CONTENT intent: commands must mention the bot, \
                 until it is switched on in Discord's developer portal and discord-service is restarted"
            );
        }
    }
}

/// A shard that this process serves.
pub(super) struct ActiveShard<'a> {
    pub(super) id: ShardId,
    pub(super) context: &'a GatewayContext,
    pub(super) lease: &'a Lease,
    pub(super) progress: &'a Progress,
}
