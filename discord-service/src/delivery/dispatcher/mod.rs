//! Gives each channel with waiting alerts its lane.
//!
//! A wake-up comes for each alert in the partitions whose leases this pod
//! holds. [`sweep`] finds alerts without a wake-up. [`lanes`] keeps the lanes.

mod lanes;
mod sweep;

use std::{sync::Arc, time::Duration};

use async_nats::jetstream;
use futures::{StreamExt as _, stream};
use shared::{process::BadToken, shutdown::CancellationToken, wire};
use tokio::{
    sync::mpsc,
    time::{MissedTickBehavior, interval},
};

use self::{lanes::Lanes, sweep::Sweep};
use super::{
    backlog_memory::BacklogMemory, known_names::NameBook, lane::Services, messages::Messages,
    queue::DeliveryQueue, retry_turns::RetryTurns,
};
use crate::{
    authority::Authority, closure::Pauses, dead_letters::DeadLetters, discord::Discord, guilds::BotAccess,
    kv::Bucket, lease::Lease, render::Style, reopening::Reopening, stack_trace::StackTraces,
};

/// How often to look through the whole stream for alerts without a wake-up.
const SWEEP: Duration = Duration::from_secs(2);
/// A lane that had no wake-up for so long is put away.
const IDLE: Duration = Duration::from_secs(60);

/// What delivery works with.
pub struct Delivery {
    /// The connection.
    pub nats: async_nats::Client,
    /// The bucket [`wire::LANES`].
    pub lanes_bucket: Bucket,
    /// The bucket [`wire::MESSAGES`].
    pub messages: Bucket,
    /// Where stack traces are kept.
    pub stack_traces: StackTraces,
    /// Who may post where.
    pub authority: Authority,
    /// Where to post.
    pub discord: Discord,
    /// The look of embeds.
    pub style: Style,
    /// Older alerts become dead letters.
    pub max_age: Duration,
    /// How many alerts may wait for a channel.
    pub backlog_max: usize,
}

impl Delivery {
    /// Delivers the alerts of the partitions that come over `grants`, until
    /// `shutdown`. Then finishes the posts in flight.
    ///
    /// # Errors
    /// [`BadToken`] when Discord refuses the bot's token.
    pub async fn run(
        self,
        mut grants: mpsc::UnboundedReceiver<Lease>,
        shutdown: CancellationToken,
    ) -> anyhow::Result<()> {
        let bad_token = CancellationToken::new();
        let authority = self.authority.clone();
        let stack_traces = self.stack_traces.clone();
        let (mut lanes, mut sweep) = self.lanes(bad_token.clone());
        // Without it, closed channels are tried again too, only later.
        let reopenings = lanes.nats.subscribe(wire::REOPENING).await;
        let mut reopenings = reopenings.map_or_else(|_| stream::pending().boxed(), |news| news.boxed());
        let mut look = interval(SWEEP);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                Some(lease) = grants.recv() => {
                    lanes.take(lease).await;
                    // Leases come in groups, and one look at the stream is
                    // enough for all.
                    while let Ok(lease) = grants.try_recv() {
                        lanes.take(lease).await;
                    }
                    sweep.look_for_quiet_too();
                }
                Some(partition) = lanes.stops.next() => lanes.put_down(partition),
                Some(stored) = lanes.wakes.next() => {
                    // A subject without a channel is left to the sweep.
                    if let Some(channel) = wire::subject_channel(&stored.subject) {
                        lanes.wake(channel);
                    }
                }
                Some(message) = reopenings.next() => {
                    if let Some(news) = Reopening::decode(&message.payload) {
                        authority.hear(&news).await;
                        if news.opens() {
                            // This fails if there is no lane to hear it.
                            let _ = lanes.reopenings.send(Arc::new(news));
                        }
                    }
                }
                _ = look.tick() => sweep.look(),
                Some(found) = sweep.next() => {
                    for channel in sweep.channels(found, |partition| lanes.has(partition)) {
                        lanes.wake(channel);
                    }
                    lanes.put_away_idle(IDLE);
                }
                Some(ended) = lanes.tasks.join_next() => lanes.ended(ended),
                () = bad_token.cancelled() => return Err(BadToken.into()),
                () = shutdown.cancelled() => break,
            }
        }
        // Each partition is given up as its last lane ends.
        drop(grants);
        lanes.finish().await;
        stack_traces.drain().await;
        Ok(())
    }

    fn lanes(self, bad_token: CancellationToken) -> (Lanes, Sweep) {
        let js = jetstream::new(self.nats.clone());
        let queue = DeliveryQueue::new(js.clone());
        let services = Services {
            queue: Arc::new(queue.clone()),
            retry_turns: Arc::new(RetryTurns::new()),
            memory: BacklogMemory::default(),
            dead_letters: Arc::new(DeadLetters::new(js.clone())),
            lanes_bucket: Arc::new(self.lanes_bucket.clone()),
            messages: Messages::new(Arc::new(self.messages)),
            routed: Arc::new(Bucket::new(&js, wire::ROUTED)),
            stack_traces: Arc::new(self.stack_traces),
            names: Arc::new(NameBook::new(self.lanes_bucket.clone())),
            authority: Arc::new(self.authority),
            access: Arc::new(BotAccess::new(&self.discord)),
            discord: Arc::new(self.discord),
            pauses: Pauses::default(),
            backlog_max: self.backlog_max,
            style: self.style,
            max_age: self.max_age,
            now_ms: || chrono::Utc::now().timestamp_millis(),
            bad_token,
        };
        let services = Arc::new(services);
        let sweep = Sweep::new(queue, self.lanes_bucket, services.clone());
        (Lanes::new(self.nats, services), sweep)
    }
}
