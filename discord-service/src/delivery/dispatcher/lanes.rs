//! The lanes in this pod. Each channel of its partitions has one if alerts wait
//! for it or if it is closed.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use async_nats::Message;
use futures::{
    StreamExt as _,
    future::BoxFuture,
    stream::{BoxStream, FuturesUnordered, SelectAll},
};
use shared::{ChannelId, shutdown::CancellationToken, wire};
use tokio::{
    sync::{
        broadcast,
        mpsc::{self, error::TrySendError},
    },
    task::{JoinError, JoinSet},
};
use tokio_util::sync::DropGuard;
use tracing::Instrument as _;

use crate::{
    delivery::lane::{self, Assignment, LaneFlag, Services},
    lease::{Lease, Resource},
    reopening::Reopening,
};

/// How many events that may open channels a busy lane can catch up on.
const REOPENINGS_AT_ONCE: usize = 256;

/// The lanes at work.
pub(super) struct Lanes {
    pub(super) nats: async_nats::Client,
    services: Arc<Services>,
    partitions: HashMap<u64, Partition>,
    /// Partitions that another pod should have.
    pub(super) stops: FuturesUnordered<BoxFuture<'static, u64>>,
    pub(super) wakes: SelectAll<BoxStream<'static, Message>>,
    /// Events that may open closed channels, for all lanes.
    pub(super) reopenings: broadcast::Sender<Arc<Reopening>>,
    lanes: HashMap<ChannelId, LaneHandle>,
    pub(super) tasks: JoinSet<ChannelId>,
}

/// A partition that this pod has.
struct Partition {
    /// Shared with the partition's lanes, and given up when the last of them
    /// ends.
    lease: Arc<Lease>,
    /// Ends its wake-ups when dropped.
    _listening: DropGuard,
}

/// One lane, seen from outside. A channel never has two.
struct LaneHandle {
    /// Has room for one wake-up, because more would say nothing new. The lane
    /// ends at its next idle moment after this is dropped.
    wake: Option<mpsc::Sender<()>>,
    lease_stop: CancellationToken,
    last_wake: Instant,
    closed: LaneFlag,
    /// The end of a mute must be told.
    untold: LaneFlag,
    /// A wake-up came while the lane was ending.
    again: bool,
}

impl LaneHandle {
    /// Whether the lane must go on though nothing waits.
    fn has_reason(&self) -> bool {
        self.closed.is_set() || self.untold.is_set()
    }
}

impl Lanes {
    pub(super) fn new(nats: async_nats::Client, services: Arc<Services>) -> Self {
        Self {
            nats,
            services,
            partitions: HashMap::new(),
            stops: FuturesUnordered::new(),
            wakes: SelectAll::new(),
            reopenings: broadcast::Sender::new(REOPENINGS_AT_ONCE),
            lanes: HashMap::new(),
            tasks: JoinSet::new(),
        }
    }

    /// Takes over the partition.
    pub(super) async fn take(&mut self, lease: Lease) {
        let Resource::Partition(partition) = lease.resource() else { return };
        let listening = CancellationToken::new();
        match self.nats.subscribe(wire::stored_subjects(partition)).await {
            Ok(wakes) => {
                self.wakes.push(wakes.take_until(listening.clone().cancelled_owned()).boxed());
            }
            // The sweep still finds the alerts, only later.
            Err(error) => tracing::warn!(partition, %error, "cannot subscribe to the partition's alerts"),
        }
        let (lease_stop, fence) = (lease.stop().clone(), lease.fence());
        self.stops.push(Box::pin(async move {
            let _ = fence.while_held(lease_stop.cancelled()).await;
            partition
        }));
        let held = Partition { lease: Arc::new(lease), _listening: listening.drop_guard() };
        self.partitions.insert(partition, held);
    }

    /// Whether this pod has the partition.
    pub(super) fn has(&self, partition: u64) -> bool {
        self.partitions.contains_key(&partition)
    }

    /// Lets another pod have the partition. Its lanes end, and the last one
    /// gives it up.
    pub(super) fn put_down(&mut self, partition: u64) {
        let over = |held: &Partition| held.lease.stop().is_cancelled() || !held.lease.fence().is_held();
        if self.partitions.get(&partition).is_some_and(over) {
            self.partitions.remove(&partition);
        }
    }

    /// Wakes the channel's lane or starts one, because alerts may wait.
    pub(super) fn wake(&mut self, channel: ChannelId) {
        if !self.has(wire::partition(channel)) {
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
        let Some(Partition { lease, .. }) = self.partitions.get(&wire::partition(channel)) else {
            return;
        };
        let (wake, wakes) = mpsc::channel(1);
        let _ = wake.try_send(());
        let (lease, lease_stop) = (lease.clone(), lease.stop().clone());
        let (closed, untold) = (LaneFlag::default(), LaneFlag::default());
        let assignment = Assignment {
            channel,
            lease_stop: lease_stop.clone(),
            wakes,
            reopenings: self.reopenings.subscribe(),
            closed: closed.clone(),
            untold: untold.clone(),
        };
        let work = lane::run(self.services.clone(), assignment);
        // At the highest level, so that every log line has the channel's id at
        // any `RUST_LOG`.
        let span = tracing::error_span!("lane", channel.id = %channel);
        let task = async move {
            let _ = lease.fence().while_held(work).await;
            channel
        };
        self.tasks.spawn(task.instrument(span));
        let (wake, last_wake) = (Some(wake), Instant::now());
        let handle = LaneHandle { wake, lease_stop, last_wake, closed, untold, again: false };
        self.lanes.insert(channel, handle);
        metrics::gauge!("sentry_bot_lanes").set(self.lanes.len() as f64);
    }

    /// Ends lanes without work. Those of closed channels stay, because they listen
    /// for what may open them, and so do those that must tell the end of a mute.
    pub(super) fn put_away_idle(&mut self, idle: Duration) {
        let unused = |handle: &&mut LaneHandle| handle.last_wake.elapsed() > idle && !handle.has_reason();
        self.lanes.values_mut().filter(unused).for_each(|handle| handle.wake = None);
    }

    pub(super) fn ended(&mut self, ended: Result<ChannelId, JoinError>) {
        // A panic ends the process, so a lane always says which one it was.
        let Ok(channel) = ended else { return };
        // A lane that was stopped may have left work, and the partition may be
        // back.
        let again = self
            .lanes
            .remove(&channel)
            .is_some_and(|lane| lane.again || lane.untold.is_set() || lane.lease_stop.is_cancelled());
        metrics::gauge!("sentry_bot_lanes").set(self.lanes.len() as f64);
        if again {
            self.open(channel);
        }
    }

    /// Gives all partitions up, and returns once all lanes have ended.
    pub(super) async fn finish(mut self) {
        self.partitions.clear();
        while let Some(ended) = self.tasks.join_next().await {
            self.ended(ended);
        }
    }
}
