//! Discord's gateway: hears which commands are used and hands them on. Posting
//! alerts needs none of it, and goes on whatever happens here.
//!
//! The client is our own, because of what was measured with serenity's
//! (0.12.5). After some closes that one spins without yielding for a whole
//! heartbeat interval. This stops a runtime thread, and with it the delivery of
//! alerts. After the final codes 4010 to 4012 it identifies without end and
//! without an error. And its shards cannot be stopped within a set time.

mod close_codes;
mod concurrency_limits;
mod connection;
mod context;
mod event_dispatch;
mod events_in_flight;
mod handler;
mod heartbeat;
mod identify;
mod identify_budget;
mod identify_slots;
mod interaction;
mod protocol;
mod reconnect_backoff;
mod reopening_broadcast;
mod reopening_events;
mod resumable;
mod session;
mod shard;
mod shard_id;
mod status;
mod stored_session;

use std::{
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use shared::{admin::Readiness, process::BadToken, shutdown::CancellationToken};
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{MissedTickBehavior, interval, sleep},
};

use self::{
    context::GatewayContext, event_dispatch::EventDispatcher, identify_budget::GatewayInfo,
    identify_slots::IdentifySlots, reopening_broadcast::ReopeningBroadcast, shard_id::ShardId,
    status::GatewayStatus,
};
pub use self::{
    handler::{Handler, Typed},
    interaction::{FilledIn, Invoked, Place, PressedButton, SlashCommand, Wants},
};
use crate::{
    discord::{Discord, DiscordError},
    lease::{Resource, Shards},
};

/// Between two tries to learn how many shards there are.
const RETRY: Duration = Duration::from_secs(5);
/// How often readiness looks at the shards.
const CHECK_EVERY: Duration = Duration::from_millis(500);

/// What the gateway works with.
pub struct Gateway {
    /// Discord's REST API.
    pub discord: Discord,
    /// The connection over which reopenings are broadcast.
    pub nats: async_nats::Client,
    /// The word that commands begin with. The bot shows as playing `<prefix> h`.
    pub prefix: String,
    /// Handles what people do.
    pub handler: Arc<dyn Handler>,
    /// Says which shards are down.
    pub readiness: Readiness,
}

impl Gateway {
    /// Serves the shards that this pod gets, until `shutdown`. Then it waits until all
    /// events are handled. It reconnects for ever. If Discord closes a shard for good,
    /// the shard stays off, and readiness says why. If the bot is in too many guilds
    /// for so few shards, all pods share as many as Discord wants now.
    ///
    /// # Errors
    /// [`BadToken`] when Discord refuses the token.
    pub async fn run(self, mut shards: Shards, shutdown: CancellationToken) -> anyhow::Result<()> {
        let context = Arc::new(self.context(&shards));
        let Some(total) = shutdown.run_until_cancelled(total(&context.discord)).await else {
            return Ok(());
        };
        let total = total?;
        tracing::info!(shards = total, "connecting to Discord's gateway");
        shards.set_total(total);
        let mut serving = JoinSet::new();
        let mut has_share = false;
        let mut wanted = context.wanted.subscribe();
        let mut check = interval(CHECK_EVERY);
        check.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut broadcasting = std::pin::pin!(context.reopenings.run());
        loop {
            tokio::select! {
                // What is granted first counts as down before readiness is looked at.
                biased;
                Some(lease) = shards.grants.recv() => {
                    if let Resource::Shard { id, total } = lease.resource() {
                        let context = Arc::clone(&context);
                        serving.spawn(async move { shard::run(ShardId { id, total }, &context, lease).await });
                    }
                }
                Some(ended) = serving.join_next() => ended??,
                true = have_total(&mut shards.total), if !has_share => {
                    has_share = true;
                    context.status.show();
                }
                _ = check.tick(), if has_share => context.status.show(),
                // All shards of the pod are then taken back, and others granted.
                Ok(()) = wanted.changed() => shards.set_total(*wanted.borrow_and_update()),
                never = &mut broadcasting => match never {},
                () = shutdown.cancelled() => break,
            }
        }
        drop(shards);
        while let Some(ended) = serving.join_next().await {
            ended??;
        }
        context.events.drain().await;
        context.reopenings.tell().await;
        Ok(())
    }

    fn context(self, shards: &Shards) -> GatewayContext {
        GatewayContext {
            discord: self.discord,
            game: format!("{} h", self.prefix),
            events: EventDispatcher::new(self.handler),
            slots: IdentifySlots::new(shards.bucket.clone()),
            bucket: shards.bucket.clone(),
            status: GatewayStatus::new(self.readiness),
            reopenings: ReopeningBroadcast::new(self.nats),
            wanted: watch::Sender::new(0),
            content_refused: AtomicBool::new(false),
        }
    }
}

/// Waits until this pod knows its share of the shards. Returns false if it never will.
async fn have_total(total: &mut watch::Receiver<u32>) -> bool {
    total.wait_for(|total| *total > 0).await.is_ok()
}

/// Asks Discord how many shards the bot should have.
async fn total(discord: &Discord) -> Result<u32, BadToken> {
    loop {
        match GatewayInfo::ask(discord).await {
            Ok(info) => return Ok(info.shards.max(1)),
            Err(DiscordError::BadToken(bad_token)) => return Err(bad_token),
            Err(error) => {
                tracing::warn!(%error, "cannot ask Discord for its gateway; trying again");
                sleep(RETRY).await;
            }
        }
    }
}
