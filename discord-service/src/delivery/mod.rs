//! From the stream to Discord: one lane per channel, so that no channel waits
//! for another.

mod backlog;
mod backoff;
pub mod blockade;
mod catch_up;
#[cfg(test)]
mod choices;
mod edit;
mod ending;
mod journal;
mod lane;
mod messages;
mod post;
mod queue;
mod record;
mod send;
pub mod tally;
mod trace;

pub(crate) use self::record::log_ids;

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::{Duration, Instant},
};

use async_nats::{
    Message,
    jetstream::{self, kv},
};
use futures::{
    StreamExt as _,
    future::BoxFuture,
    stream::{BoxStream, FuturesUnordered, SelectAll},
};
use shared::{ChannelId, process::BadToken, shutdown::CancellationToken, wire};
use tokio::{
    sync::mpsc::{self, error::TrySendError},
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};
use tokio_util::sync::DropGuard;

use self::{
    lane::Surroundings,
    messages::Messages,
    queue::{Queue, Waiting},
};
use crate::{
    authority::Authority,
    dead_letters::{Cause, DeadLetters, Reason},
    discord::Discord,
    lease::{Lease, Resource},
    render::Style,
};

/// How often the whole stream is looked through for what no wake-up announced:
/// alerts from before the start, or published while NATS was out of reach.
const SWEEP: Duration = Duration::from_secs(2);
/// A lane without work for so long is put away.
const IDLE: Duration = Duration::from_secs(60);

/// What delivery works with.
pub struct Delivery {
    /// The connection.
    pub nats: async_nats::Client,
    /// The bucket [`wire::LANES`].
    pub journals: kv::Store,
    /// The bucket [`wire::MESSAGES`].
    pub messages: kv::Store,
    /// Who may post where.
    pub authority: Authority,
    /// Where to post.
    pub discord: Discord,
    /// How embeds look.
    pub style: Style,
    /// Older alerts become dead letters.
    pub max_age: Duration,
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
        let mut lanes = Lanes::new(
            self.nats,
            Surroundings {
                queue: Queue::new(js.clone()),
                dead_letters: DeadLetters::new(js),
                journals: self.journals,
                messages: Messages::new(self.messages),
                authority: self.authority,
                discord: self.discord,
                style: self.style,
                max_age: self.max_age,
                shutdown: shutdown.clone(),
                bad_token: bad_token.clone(),
            },
        );
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
                    lanes.sweep().await;
                }
                Some(partition) = lanes.stops.next() => lanes.put_down(partition),
                Some(wake) = lanes.wakes.next() => lanes.wake(&wake.subject),
                _ = sweep.tick() => lanes.sweep().await,
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
    around: Surroundings,
    partitions: HashMap<u64, Partition>,
    /// Partitions that are to be put down.
    stops: FuturesUnordered<BoxFuture<'static, u64>>,
    wakes: SelectAll<BoxStream<'static, Message>>,
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
    /// Something came while the lane was being put away.
    again: bool,
}

impl Lanes {
    fn new(nats: async_nats::Client, around: Surroundings) -> Self {
        Self {
            nats,
            around,
            partitions: HashMap::new(),
            stops: FuturesUnordered::new(),
            wakes: SelectAll::new(),
            lanes: HashMap::new(),
            tasks: JoinSet::new(),
        }
    }

    /// This pod has the partition from now on.
    async fn take(&mut self, lease: Lease) {
        let Resource::Partition(partition) = lease.resource() else { return };
        let listening = CancellationToken::new();
        match self.nats.subscribe(wire::partition_subjects(partition)).await {
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

    /// Something may wait on this subject.
    fn wake(&mut self, subject: &str) {
        let Some(channel) = lane_of(subject) else { return };
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
        let stop = around.shutdown.clone();
        self.tasks.spawn(async move {
            let _ = lease.fence().while_held(lane::run(around, channel, wakes)).await;
            channel
        });
        let handle = Handle { wake: Some(wake), stop, last_wake: Instant::now(), again: false };
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

    async fn sweep(&mut self) {
        let Waiting { subjects: waiting, oldest_age } = match self.around.queue.waiting().await {
            Ok(waiting) => waiting,
            Err(error) => {
                tracing::debug!("cannot sweep: {error:#}");
                return;
            }
        };
        let held = |subject: &str| self.partitions.contains_key(&partition_of(subject));
        let held: Vec<(String, usize)> = waiting.into_iter().filter(|(subject, _)| held(subject)).collect();
        metrics::gauge!("sentry_bot_channels_waiting").set(held.len() as f64);
        let alerts: usize = held.iter().map(|(_, alerts)| alerts).sum();
        metrics::gauge!("sentry_bot_alerts_waiting").set(alerts as f64);
        metrics::gauge!("sentry_bot_oldest_alert_age_seconds").set(oldest_age.as_secs_f64());
        for (subject, _) in &held {
            match lane_of(subject) {
                Some(_) => self.wake(subject),
                None => self.bury_strays(subject).await,
            }
        }
        for handle in self.lanes.values_mut().filter(|handle| handle.last_wake.elapsed() > IDLE) {
            handle.wake = None;
        }
    }

    /// Messages on a subject that no lane reads: none of ours wrote them.
    async fn bury_strays(&mut self, subject: &str) {
        let cause = Cause::new(Reason::Unreadable, format!("no channel has the subject {subject}"));
        let buried = async {
            let strays = self.around.queue.read(subject, 1).await?.messages;
            let sequences: BTreeSet<u64> = strays.iter().map(|stray| stray.sequence).collect();
            let channel = wire::subject_channel(subject).unwrap_or(ChannelId::new(0));
            self.around.dead_letters.bury(channel, strays, &cause).await?;
            self.around.queue.remove(subject, &sequences, None).await
        };
        if let Err(error) = buried.await {
            tracing::warn!(%subject, "cannot remove what no lane reads: {error:#}");
        }
    }
}

/// The channel whose lane reads this subject.
fn lane_of(subject: &str) -> Option<ChannelId> {
    let channel = wire::subject_channel(subject)?;
    (wire::alert_subject(channel) == subject).then_some(channel)
}

/// The partition whose owner looks after this subject: the one that it names,
/// or 0 for what is no subject of ours.
fn partition_of(subject: &str) -> u64 {
    let named = subject.split('.').nth(1).and_then(|number| number.parse().ok());
    named.filter(|number| *number < wire::PARTITIONS).unwrap_or(0)
}
