//! Discord's gateway: hears which commands are used and hands them on. Posting
//! alerts needs none of it, and goes on whatever happens here.
//!
//! The client is our own, not serenity's (0.12.5, measured): that one spins
//! without yielding for a whole heartbeat interval after some closes, which
//! stops a runtime thread and with it the delivery of alerts; it identifies
//! again without end after the final codes 4010 to 4012 and tells nobody; and
//! its shards cannot be stopped within a set time.

mod close_codes;
mod concurrency_limits;
mod connection;
mod event_dispatch;
mod events_in_flight;
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
mod status;
mod stored_session;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use shared::{ChannelId, GuildId, UserId, admin::Readiness, process::BadToken, shutdown::CancellationToken};
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{MissedTickBehavior, interval, sleep},
};

pub use self::interaction::{FilledIn, Invoked, Place, PressedButton, SlashCommand, Wants};
use self::{
    event_dispatch::EventDispatcher, identify_budget::GatewayInfo, identify_slots::IdentifySlots,
    reopening_broadcast::ReopeningBroadcast, status::GatewayStatus,
};
use crate::{
    discord::{Discord, DiscordError},
    kv::Bucket,
    lease::{Resource, Shards},
};

/// Between two tries to learn how many shards there are.
const RETRY: Duration = Duration::from_secs(5);
/// How often readiness looks at the shards.
const LOOK: Duration = Duration::from_millis(500);

/// A message that somebody typed in a guild.
#[derive(Debug, Clone)]
pub struct Typed {
    /// The message's id.
    pub id: u64,
    /// Where it was typed.
    pub guild: GuildId,
    /// Where it was typed.
    pub channel: ChannelId,
    /// Who typed it: no bot and no webhook.
    pub author: UserId,
    /// The text, never empty.
    pub content: String,
    /// The bot's own id, to recognise `@bot …`.
    pub bot: UserId,
}

/// What is to happen with what people do.
#[async_trait]
pub trait Handler: Send + Sync + 'static {
    /// Whether the message may be a command; others are not handed on. Called for
    /// all that is said in all guilds, one after the other.
    fn is_command(&self, _message: &Typed) -> bool {
        true
    }

    /// Somebody typed this command. Runs in a task of its own, beside others.
    async fn typed(&self, message: Typed);

    /// Somebody used a slash command. Runs in a task of its own, beside others;
    /// Discord waits three seconds for the first answer.
    async fn invoked(&self, invocation: Invoked);

    /// Somebody used a slash command, and too many of this member, channel or guild
    /// are being carried out. Runs in a task of its own, beside few others.
    async fn turned_away(&self, invocation: Invoked);
}

/// One of the parts into which Discord splits a bot's guilds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct ShardId {
    id: u32,
    total: u32,
}

/// What all shards of the process share.
struct Context {
    discord: Discord,
    /// What the bot plays.
    game: String,
    events: EventDispatcher,
    bucket: Bucket,
    slots: IdentifySlots,
    status: GatewayStatus,
    reopenings: ReopeningBroadcast,
    /// How many shards Discord wants, as a shard was told.
    wanted: watch::Sender<u32>,
    content_refused: AtomicBool,
}

impl Context {
    /// Whether to ask for the MESSAGE_CONTENT intent.
    fn with_content(&self) -> bool {
        !self.content_refused.load(Ordering::Relaxed)
    }

    fn do_without_content(&self) {
        if !self.content_refused.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                "Discord has not granted the bot the MESSAGE_CONTENT intent: commands must mention the bot, \
                 until it is switched on in Discord's developer portal and discord-service is restarted"
            );
        }
    }
}

/// Serves those of the bot's shards that this pod has until `shutdown`, then
/// waits for the messages that are being handled. Reconnects for ever; where Discord closes a shard
/// for good, that shard stays off and readiness says why. Where it is in too many
/// guilds for so few shards, all pods share as many as it wants now. The bot shows
/// as playing `<prefix> h`. What may open a closed channel is broadcast over `nats`.
///
/// # Errors
/// [`BadToken`] when Discord refuses the token.
pub async fn run(
    discord: Discord,
    nats: async_nats::Client,
    prefix: &str,
    handler: Arc<dyn Handler>,
    readiness: Readiness,
    mut shards: Shards,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let context = Arc::new(Context {
        discord,
        game: format!("{prefix} h"),
        events: EventDispatcher::new(handler),
        slots: IdentifySlots::new(shards.bucket.clone()),
        bucket: shards.bucket.clone(),
        status: GatewayStatus::new(readiness),
        reopenings: ReopeningBroadcast::new(nats),
        wanted: watch::Sender::new(0),
        content_refused: AtomicBool::new(false),
    });
    let Some(total) = shutdown.run_until_cancelled(total(&context.discord)).await else {
        return Ok(());
    };
    let total = total?;
    tracing::info!(shards = total, "connecting to Discord's gateway");
    shards.set_total(total);
    let mut serving = JoinSet::new();
    let mut has_share = false;
    let mut wanted = context.wanted.subscribe();
    let mut look = interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut telling = std::pin::pin!(context.reopenings.run());
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
            true = are_shared(&mut shards.shared), if !has_share => {
                has_share = true;
                context.status.show();
            }
            _ = look.tick(), if has_share => context.status.show(),
            // Every one of its shards is taken back then, and others granted.
            Ok(()) = wanted.changed() => shards.set_total(*wanted.borrow_and_update()),
            never = &mut telling => match never {},
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

/// Waits until it is known which shards this pod has, if any; false where it never will be.
async fn are_shared(shared: &mut watch::Receiver<u32>) -> bool {
    shared.wait_for(|total| *total > 0).await.is_ok()
}

/// How many shards Discord wants the bot to have.
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
