//! From the stream to Discord: one lane per channel, so that no channel waits
//! for another.

mod backlog;
mod backoff;
pub mod blockade;
mod ending;
mod lane;
mod post;
mod queue;
mod record;

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use async_nats::jetstream::{self, kv};
use futures::StreamExt as _;
use shared::{ChannelId, process::BadToken, shutdown::CancellationToken, wire};
use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};

use self::{lane::Surroundings, queue::Queue};
use crate::{
    authority::Authority,
    dead_letters::{Cause, DeadLetters, Reason},
    discord::Discord,
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
    /// Delivers until `shutdown`; then finishes the posts in flight.
    ///
    /// # Errors
    /// [`BadToken`] when Discord refuses the bot's token; anything else when it
    /// cannot start.
    pub async fn run(self, shutdown: CancellationToken) -> anyhow::Result<()> {
        let mut wakes =
            self.nats.subscribe(wire::ALERTS_SUBJECTS).await.context("cannot subscribe to alerts")?;
        let js = jetstream::new(self.nats);
        let bad_token = CancellationToken::new();
        let mut lanes = Lanes::new(Surroundings {
            queue: Queue::new(js.clone()),
            dead_letters: DeadLetters::new(js),
            journals: self.journals,
            authority: self.authority,
            discord: self.discord,
            style: self.style,
            max_age: self.max_age,
            shutdown: shutdown.clone(),
            bad_token: bad_token.clone(),
        });
        let mut sweep = interval(SWEEP);
        sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                wake = wakes.next() => match wake {
                    Some(message) => lanes.wake(&message.subject),
                    None => break,
                },
                _ = sweep.tick() => lanes.sweep().await,
                Some(ended) = lanes.tasks.join_next(), if !lanes.tasks.is_empty() => lanes.ended(ended),
                () = bad_token.cancelled() => return Err(BadToken.into()),
                () = shutdown.cancelled() => break,
            }
        }
        while lanes.tasks.join_next().await.is_some() {}
        Ok(())
    }
}

/// The lanes at work.
struct Lanes {
    around: Arc<Surroundings>,
    lanes: HashMap<ChannelId, Handle>,
    tasks: JoinSet<ChannelId>,
}

/// One lane, seen from outside. There is never a second one of its channel.
struct Handle {
    /// Room for one wake-up: more would say nothing new. Dropped to put the
    /// lane away; it then ends at its next idle moment.
    wake: Option<mpsc::Sender<()>>,
    last_wake: Instant,
    /// Something came while the lane was being put away.
    again: bool,
}

impl Lanes {
    fn new(around: Surroundings) -> Self {
        Self { around: Arc::new(around), lanes: HashMap::new(), tasks: JoinSet::new() }
    }

    /// Something may wait on this subject.
    fn wake(&mut self, subject: &str) {
        let Some(channel) = lane_of(subject) else { return };
        match self.lanes.get_mut(&channel) {
            Some(handle) => {
                handle.last_wake = Instant::now();
                match &handle.wake {
                    // A full channel already holds a wake-up.
                    Some(wake) => {
                        let _ = wake.try_send(());
                    }
                    None => handle.again = true,
                }
            }
            None => self.open(channel),
        }
    }

    fn open(&mut self, channel: ChannelId) {
        let (wake, wakes) = mpsc::channel(1);
        let _ = wake.try_send(());
        let around = self.around.clone();
        self.tasks.spawn(async move {
            lane::run(around, channel, wakes).await;
            channel
        });
        self.lanes.insert(channel, Handle { wake: Some(wake), last_wake: Instant::now(), again: false });
        metrics::gauge!("sentry_bot_lanes").set(self.lanes.len() as f64);
    }

    fn ended(&mut self, ended: Result<ChannelId, tokio::task::JoinError>) {
        // A panic ends the process, so a lane always says which one it was.
        let Ok(channel) = ended else { return };
        let again = self.lanes.remove(&channel).is_some_and(|handle| handle.again);
        metrics::gauge!("sentry_bot_lanes").set(self.lanes.len() as f64);
        if again {
            self.open(channel);
        }
    }

    async fn sweep(&mut self) {
        let subjects = match self.around.queue.subjects().await {
            Ok(subjects) => subjects,
            Err(error) => {
                tracing::debug!("cannot sweep: {error:#}");
                return;
            }
        };
        metrics::gauge!("sentry_bot_channels_waiting").set(subjects.len() as f64);
        for subject in &subjects {
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
    async fn bury_strays(&self, subject: &str) {
        let cause = Cause::new(Reason::Unreadable, format!("no channel has the subject {subject}"));
        let buried = async {
            let strays = self.around.queue.read(subject, 1).await?.messages;
            let sequences: BTreeSet<u64> = strays.iter().map(|stray| stray.sequence).collect();
            let channel = wire::subject_channel(subject).unwrap_or(ChannelId::new(0));
            let messages = strays.into_iter().map(|stray| (stray.sequence, stray.payload)).collect();
            self.around.dead_letters.bury(channel, messages, &cause).await?;
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
