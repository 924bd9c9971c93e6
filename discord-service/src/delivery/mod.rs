//! From the stream to Discord: one lane per channel, so that no channel waits
//! for another.

mod backlog;
mod backoff;
pub mod blockade;
mod catch_up;
mod closing;
#[cfg(test)]
mod crash_tests;
mod edit;
mod ending;
mod fold;
mod index;
mod issue;
mod journal;
mod lane;
mod messages;
mod pace;
mod ports;
mod post;
mod queue;
mod record;
mod recovery;
mod reopen;
mod room;
mod send;
mod sweep;
pub mod tally;
mod trace;

pub use self::closing::{Access, Closing};
pub(crate) use self::record::log_ids;

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use async_nats::{Message, jetstream};
use futures::{
    StreamExt as _,
    future::BoxFuture,
    stream::{self, BoxStream, FuturesUnordered, SelectAll},
};
use shared::{ChannelId, process::BadToken, shutdown::CancellationToken, wire};
use tokio::{
    sync::{
        broadcast,
        mpsc::{self, error::TrySendError},
    },
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};
use tokio_util::sync::DropGuard;

use self::{
    closing::Pauses,
    lane::{ClosedFlag, Ears, Surroundings},
    messages::Messages,
    queue::{Queue, Waiting},
    recovery::Recovery,
    room::Room,
};
use crate::{
    authority::Authority,
    commands::BotAccess,
    dead_letters::DeadLetters,
    discord::Discord,
    leader::Bucket,
    lease::{Lease, Resource},
    render::Style,
    reopening::Reopening,
};

/// How much of what may open channels a busy lane does not miss.
const TOLD_AT_ONCE: usize = 256;
/// How often the whole stream is looked through for what no wake-up announced.
const SWEEP: Duration = Duration::from_secs(2);

/// What delivery works with.
pub struct Delivery {
    /// The connection.
    pub nats: async_nats::Client,
    /// The bucket [`wire::LANES`].
    pub journals: Bucket,
    /// The bucket [`wire::MESSAGES`].
    pub messages: Bucket,
    /// Who may post where.
    pub authority: Authority,
    /// Where to post.
    pub discord: Discord,
    /// How embeds look.
    pub style: Style,
    /// Older alerts become dead letters.
    pub max_age: Duration,
    /// How many alerts may wait for a channel.
    pub backlog_max: usize,
}

impl Delivery {
    /// Delivers what is in the partitions that come over `grants`, until
    /// `shutdown`; then finishes the posts in flight.
    ///
    /// # Errors
    /// [`BadToken`] when Discord refuses the bot's token.
    pub async fn run(
        self,
        mut grants: mpsc::UnboundedReceiver<Lease>,
        shutdown: CancellationToken,
    ) -> anyhow::Result<()> {
        let js = jetstream::new(self.nats.clone());
        let bad_token = CancellationToken::new();
        let (queue, authority) = (Queue::new(js.clone()), self.authority.clone());
        let mut lanes = Lanes::new(
            self.nats,
            queue.clone(),
            self.journals.clone(),
            Surroundings {
                queue: Arc::new(queue),
                recovery: Arc::new(Recovery::new()),
                room: Room::default(),
                dead_letters: Arc::new(DeadLetters::new(js)),
                journals: Arc::new(self.journals),
                messages: Messages::new(Arc::new(self.messages)),
                authority: Arc::new(self.authority),
                access: Arc::new(BotAccess::new(&self.discord)),
                discord: Arc::new(self.discord),
                pauses: Pauses::default(),
                backlog_max: self.backlog_max,
                style: self.style,
                max_age: self.max_age,
                shutdown: shutdown.clone(),
                bad_token: bad_token.clone(),
            },
        );
        // Without it, closed channels are tried again all the same, only later.
        let told = lanes.nats.subscribe(wire::REOPENING).await;
        let mut told = told.map_or_else(|_| stream::pending().boxed(), |told| told.boxed());
        let mut sweep = interval(SWEEP);
        sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                Some(lease) = grants.recv() => {
                    lanes.take(lease).await;
                    // They come in crowds, and need one look at the stream together.
                    while let Ok(lease) = grants.try_recv() {
                        lanes.take(lease).await;
                    }
                    lanes.sweep_anew();
                }
                Some(partition) = lanes.stops.next() => lanes.put_down(partition),
                Some(stored) = lanes.wakes.next() => {
                    // What is on a subject of no channel, the sweep finds.
                    if let Some(channel) = wire::subject_channel(&stored.subject) {
                        lanes.wake(channel);
                    }
                }
                Some(message) = told.next() => if let Some(news) = Reopening::decode(&message.payload) {
                    authority.forget_unreachable(news.guild, news.channels.as_deref()).await;
                    // Nobody hears it where there is no lane.
                    let _ = lanes.told.send(Arc::new(news));
                },
                _ = sweep.tick() => lanes.sweep(),
                Some(found) = lanes.sweeps.next() => if let Some(waiting) = found { lanes.swept(waiting) },
                Some(ended) = lanes.tasks.join_next() => lanes.ended(ended),
                () = bad_token.cancelled() => return Err(BadToken.into()),
                () = shutdown.cancelled() => break,
            }
        }
        // Each partition is given up as its last lane ends.
        drop(grants);
        lanes.partitions.clear();
        while let Some(ended) = lanes.tasks.join_next().await {
            lanes.ended(ended);
        }
        Ok(())
    }
}

/// The lanes at work.
struct Lanes {
    nats: async_nats::Client,
    queue: Queue,
    journals: Bucket,
    around: Surroundings,
    partitions: HashMap<u64, Partition>,
    /// Partitions that are to be put down.
    stops: FuturesUnordered<BoxFuture<'static, u64>>,
    wakes: SelectAll<BoxStream<'static, Message>>,
    /// What may open closed channels, for all lanes.
    told: broadcast::Sender<Arc<Reopening>>,
    /// Looks through the stream that are under way, and what they found.
    sweeps: FuturesUnordered<BoxFuture<'static, Option<Waiting>>>,
    lanes: HashMap<ChannelId, Handle>,
    tasks: JoinSet<ChannelId>,
}

/// A partition that this pod has.
struct Partition {
    /// Shared with the partition's lanes: given up when the last of them ends.
    lease: Arc<Lease>,
    /// Its lanes stop when the lease is to be given up.
    around: Arc<Surroundings>,
    /// Ends its wake-ups when dropped.
    _listening: DropGuard,
}

/// One lane, seen from outside. There is never a second one of its channel.
struct Handle {
    /// Room for one wake-up: more would say nothing new. Dropped to put the
    /// lane away; it then ends at its next idle moment.
    wake: Option<mpsc::Sender<()>>,
    /// Cancelled when its lease was to be given up.
    stop: CancellationToken,
    last_wake: Instant,
    closed: ClosedFlag,
    /// Something came while the lane was being put away.
    again: bool,
}

impl Lanes {
    fn new(nats: async_nats::Client, queue: Queue, journals: Bucket, around: Surroundings) -> Self {
        Self {
            nats,
            queue,
            journals,
            told: broadcast::Sender::new(TOLD_AT_ONCE),
            around,
            partitions: HashMap::new(),
            stops: FuturesUnordered::new(),
            wakes: SelectAll::new(),
            sweeps: FuturesUnordered::new(),
            lanes: HashMap::new(),
            tasks: JoinSet::new(),
        }
    }

    /// This pod has the partition from now on.
    async fn take(&mut self, lease: Lease) {
        let Resource::Partition(partition) = lease.resource() else { return };
        let listening = CancellationToken::new();
        match self.nats.subscribe(wire::stored_subjects(partition)).await {
            Ok(wakes) => {
                self.wakes.push(wakes.take_until(listening.clone().cancelled_owned()).boxed());
            }
            // The sweep finds what waits, only later.
            Err(error) => tracing::warn!(partition, %error, "cannot subscribe to the partition's alerts"),
        }
        let (stop, fence) = (lease.stop().clone(), lease.fence());
        let around = Arc::new(Surroundings { shutdown: stop.clone(), ..self.around.clone() });
        self.stops.push(Box::pin(async move {
            let _ = fence.while_held(stop.cancelled()).await;
            partition
        }));
        let lease = Arc::new(lease);
        self.partitions.insert(partition, Partition { lease, around, _listening: listening.drop_guard() });
    }

    /// Another pod is to have the partition. Its lanes end by themselves; the
    /// last one gives it up.
    fn put_down(&mut self, partition: u64) {
        let over = |held: &Partition| held.around.shutdown.is_cancelled() || !held.lease.fence().is_held();
        if self.partitions.get(&partition).is_some_and(over) {
            self.partitions.remove(&partition);
        }
    }

    /// Something may wait for this channel.
    fn wake(&mut self, channel: ChannelId) {
        if !self.partitions.contains_key(&wire::partition(channel)) {
            return;
        }
        match self.lanes.get_mut(&channel) {
            Some(handle) => {
                handle.last_wake = Instant::now();
                match &handle.wake {
                    // A full channel already holds a wake-up.
                    Some(wake) => match wake.try_send(()) {
                        Ok(()) | Err(TrySendError::Full(())) => {}
                        Err(TrySendError::Closed(())) => handle.again = true,
                    },
                    None => handle.again = true,
                }
            }
            None => self.open(channel),
        }
    }

    fn open(&mut self, channel: ChannelId) {
        let Some(Partition { lease, around, .. }) = self.partitions.get(&wire::partition(channel)) else {
            return;
        };
        let (wake, wakes) = mpsc::channel(1);
        let _ = wake.try_send(());
        let (around, lease) = (around.clone(), lease.clone());
        let (stop, closed) = (around.shutdown.clone(), ClosedFlag::default());
        let (ears, flag) = (Ears { wakes, told: self.told.subscribe() }, closed.clone());
        self.tasks.spawn(async move {
            let _ = lease.fence().while_held(lane::run(around, channel, ears, flag)).await;
            channel
        });
        let handle = Handle { wake: Some(wake), stop, last_wake: Instant::now(), closed, again: false };
        self.lanes.insert(channel, handle);
        metrics::gauge!("sentry_bot_lanes").set(self.lanes.len() as f64);
    }

    fn ended(&mut self, ended: Result<ChannelId, tokio::task::JoinError>) {
        // A panic ends the process, so a lane always says which one it was.
        let Ok(channel) = ended else { return };
        // One that was stopped may have left work; the partition may be back.
        let again = self.lanes.remove(&channel).is_some_and(|lane| lane.again || lane.stop.is_cancelled());
        metrics::gauge!("sentry_bot_lanes").set(self.lanes.len() as f64);
        if again {
            self.open(channel);
        }
    }
}

/// The channel whose lane reads this subject.
fn lane_of(subject: &str) -> Option<ChannelId> {
    let channel = wire::subject_channel(subject)?;
    (wire::alert_subject(channel) == subject).then_some(channel)
}
