//! The alerts that wait for the channel, as the lane reads them from the
//! stream.
//!
//! When a lane opens, it must find what the stream's leader has. But any
//! replica may answer a read. One that lags still shows alerts that a
//! predecessor posted and removed, and they would be posted twice. Later reads
//! begin after all that the lane has seen. So a replica that lags shows too
//! little, and only for a short time.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, bail};
use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use shared::{Alert, ChannelId, wire};
use tokio::time::sleep;

use super::{services::Services, sorting::Places};
use crate::{
    delivery::{backlog::Backlog, backlog_memory::BacklogShare, hop_id::HopId},
    direct_get::{BATCH, Batch, StoredMessage},
    rules::ChannelRules,
};

/// How many ids of routed alerts are looked up or noted at once.
const IN_FLIGHT: usize = 64;

/// How many alerts are read from the leader before the next post.
const FROM_LEADER: usize = 128;

/// How long to wait for a replica that lags behind its leader.
const REPLICA_LAGS_MS: [u64; 6] = [1, 3, 10, 30, 100, 300];

/// How often to compare before the lane starts over, and the longest pause
/// between. Together they take about two seconds.
const ATTEMPTS: u32 = 20;
const PAUSE: Duration = Duration::from_millis(10);

/// The waiting alerts of one channel.
pub(super) struct Inbox<'a> {
    services: &'a Services,
    channel: ChannelId,
    subject: String,
    /// The room that its alerts take.
    share: BacklogShare,
    /// The stream holds more than there is room for.
    behind: bool,
    /// When the stream was made. Another time means another stream in its
    /// place.
    stream: String,
    /// The next sequence to read.
    cursor: u64,
    backlog: Backlog,
    /// Where its alerts belong.
    places: Places,
    /// Alerts that cannot be read, and why.
    unreadable: BTreeMap<u64, String>,
    /// Alerts that Discord refused with their links.
    without_links: BTreeSet<u64>,
    /// Alerts that an unconfirmed edit may show already.
    maybe_posted: BTreeSet<u64>,
}

impl<'a> Inbox<'a> {
    pub(super) async fn open(services: &'a Services, channel: ChannelId) -> anyhow::Result<Self> {
        let subject = wire::alert_subject(channel);
        let stream = services.queue.state(&subject).await?.stream;
        Ok(Self {
            services,
            channel,
            subject,
            share: services.memory.share(),
            behind: false,
            stream,
            cursor: 1,
            backlog: Backlog::default(),
            places: Places::default(),
            unreadable: BTreeMap::new(),
            without_links: BTreeSet::new(),
            maybe_posted: BTreeSet::new(),
        })
    }

    /// The stream that the alerts are read from.
    pub(super) fn stream(&self) -> &str {
        &self.stream
    }

    pub(super) const fn backlog(&self) -> &Backlog {
        &self.backlog
    }

    pub(super) const fn backlog_mut(&mut self) -> &mut Backlog {
        &mut self.backlog
    }

    pub(super) const fn places(&self) -> &Places {
        &self.places
    }

    pub(super) const fn places_mut(&mut self) -> &mut Places {
        &mut self.places
    }

    /// All alerts that were read have lower sequences.
    pub(super) const fn end(&self) -> u64 {
        self.cursor
    }

    /// Learns the rules and mutes of the channel.
    pub(super) fn learn(&mut self, rules: &Arc<ChannelRules>) {
        self.places.learn(rules, self.cursor);
    }

    /// Whether the stream holds more than there is room for.
    pub(super) const fn is_behind(&self) -> bool {
        self.behind
    }

    /// Reads from the beginning until the alerts are those in the stream, or
    /// the first part of them if there is no room for all.
    ///
    /// # Errors
    /// When NATS is away, or when its replicas lag for long.
    pub(super) async fn catch_up(&mut self) -> anyhow::Result<()> {
        for attempt in 0..ATTEMPTS {
            let from_leader = self.behind;
            self.refill().await?;
            if from_leader {
                return Ok(());
            }
            if self.behind {
                self.start_over();
                continue;
            }
            let in_stream = self.services.queue.state(&self.subject).await?.messages;
            // A replica applies everything in order, so every alert in the
            // stream was read. If the numbers agree and no alert comes after
            // those, no removed alert was read either.
            let later = self.first_from(self.cursor).await?;
            if later.is_none() && in_stream == self.len() {
                return Ok(());
            }
            if self.len() > in_stream {
                tracing::debug!("a replica shows alerts that are gone; reading again");
                self.start_over();
            }
            sleep(PAUSE * attempt).await;
        }
        bail!("the replicas of the alerts' stream lag behind its leader")
    }

    /// Reads what has come since the last time. It does not wait for a quiet
    /// moment, because a storm has none.
    pub(super) async fn refill(&mut self) -> anyhow::Result<()> {
        let mut again = true;
        while again {
            let memory = &self.services.memory;
            let reader = if self.behind { None } else { memory.reader().await };
            let most = self.share.grow(self.len(), if self.behind { FROM_LEADER } else { BATCH });
            let batch = match self.behind {
                _ if most == 0 => Batch { messages: Vec::new(), more: true },
                true => self.read_from_leader(most).await?,
                false => self.services.queue.read(&self.subject, self.cursor, most).await?,
            };
            again = !self.behind && batch.more && !batch.messages.is_empty();
            self.behind = batch.more && (self.behind || most == 0);
            let finished = self.finished(&batch.messages).await?;
            batch.messages.iter().for_each(|stored| self.take_in(stored, &finished));
            self.share.shrink(self.len());
            drop(reader);
        }
        Ok(())
    }

    fn start_over(&mut self) {
        self.backlog = Backlog::default();
        self.places.start_over();
        self.unreadable.clear();
        self.cursor = 1;
    }

    /// Asks the leader itself. If only a part is read, the numbers cannot be
    /// compared.
    async fn read_from_leader(&self, most: usize) -> anyhow::Result<Batch> {
        let (mut messages, mut from) = (Vec::new(), self.cursor);
        while messages.len() < most {
            let Some(stored) = self.first_from(from).await? else {
                return Ok(Batch { messages, more: false });
            };
            from = stored.sequence + 1;
            messages.push(stored);
        }
        Ok(Batch { messages, more: true })
    }

    /// Those of these alerts from other channels that are done: they are second
    /// copies. The bucket's leader is asked.
    async fn finished(&self, messages: &[StoredMessage]) -> anyhow::Result<BTreeSet<HopId>> {
        let hops = messages.iter().filter_map(|stored| self.hop(stored));
        let asked = hops.map(|hop| async move {
            let found = self.services.routed.get(&hop.key(self.channel)).await;
            anyhow::Ok(found.context("cannot look for a second copy")?.map(|_| hop))
        });
        let asked: Vec<_> = asked.collect();
        let found: Vec<Option<HopId>> = stream::iter(asked).buffered(IN_FLIGHT).try_collect().await?;
        Ok(found.into_iter().flatten().collect())
    }

    fn hop(&self, stored: &StoredMessage) -> Option<HopId> {
        HopId::parse(stored.hop_id.as_deref()?, self.channel)
    }

    fn take_in(&mut self, stored: &StoredMessage, finished: &BTreeSet<HopId>) {
        self.cursor = stored.sequence + 1;
        if let Some(hop) = self.hop(stored)
            && (finished.contains(&hop) || !self.places.note_hop(stored.sequence, hop))
        {
            return self.places.add_copy(stored.sequence);
        }
        let why = match stored.alert() {
            Ok(alert) if alert.channel == self.channel => {
                let place = self.places.place(&alert);
                return self.put(stored.sequence, alert, &place);
            }
            Ok(_) => "it is for another channel".to_owned(),
            Err(error) => error.to_string(),
        };
        self.unreadable.insert(stored.sequence, why);
    }

    /// Reads what a wake-up announced. NATS announces a stored alert, but a
    /// replica may still lag. What it does not show in time, the sweep finds.
    pub(super) async fn read_after_wake_up(&mut self) -> anyhow::Result<()> {
        let before = self.len();
        for wait in REPLICA_LAGS_MS {
            self.refill().await?;
            // Without room, waiting does not bring more.
            if self.behind || self.len() > before || self.first_from(self.cursor).await?.is_none() {
                break;
            }
            sleep(Duration::from_millis(wait)).await;
        }
        if self.len() == 0
            && let Some(first) = self.first_from(1).await?
            && first.sequence < self.cursor
        {
            bail!("the alerts' stream was made again");
        }
        Ok(())
    }

    async fn first_from(&self, sequence: u64) -> anyhow::Result<Option<StoredMessage>> {
        self.services.queue.first(&self.subject, sequence).await
    }

    /// How many alerts were read and are still in the stream, as far as is
    /// known.
    fn len(&self) -> usize {
        self.backlog.len() + self.unreadable.len() + self.places.copies().len()
    }

    /// The alerts that cannot be read for one of the reasons, and that reason.
    pub(super) fn unreadable(&self) -> Option<(BTreeSet<u64>, String)> {
        let why = self.unreadable.values().next()?;
        let same = self.unreadable.iter().filter(|(_, other)| *other == why);
        Some((same.map(|(sequence, _)| *sequence).collect(), why.clone()))
    }

    /// Which of these alerts still wait, readable or not.
    pub(super) async fn still_waiting(&self, sequences: &BTreeSet<u64>) -> anyhow::Result<BTreeSet<u64>> {
        let all = self.backlog.sequences().chain(self.unreadable.keys().copied());
        let mut still_waiting: BTreeSet<u64> = all.filter(|sequence| sequences.contains(sequence)).collect();
        if self.behind {
            for &sequence in sequences.range(self.cursor..) {
                if self.services.queue.still_waits(sequence).await? {
                    still_waiting.insert(sequence);
                }
            }
        }
        Ok(still_waiting)
    }

    /// The alert itself. `None` if somebody else has removed it from the
    /// stream.
    pub(super) async fn alert(&self, sequence: u64) -> anyhow::Result<Option<Alert>> {
        if let Some(alert) = self.backlog.whole(sequence) {
            return Ok(Some(alert.clone()));
        }
        let found = self.stored(vec![sequence]).await?;
        let alert = found.first().and_then(|stored| stored.alert().ok());
        Ok(alert.map(|alert| match self.backlog.routing(sequence) {
            Some(routing) => Alert { routing, ..alert },
            None => alert,
        }))
    }

    /// The messages with these sequences that are still in the stream.
    pub(super) async fn stored(&self, sequences: Vec<u64>) -> anyhow::Result<Vec<StoredMessage>> {
        self.services.queue.get(sequences).await
    }

    /// Whether the alert's embed may have links.
    pub(super) fn has_links(&self, sequence: u64) -> bool {
        !self.without_links.contains(&sequence)
    }

    /// Notes that Discord refused these alerts with their links.
    pub(super) fn leave_out_links(&mut self, sequences: &BTreeSet<u64>) {
        self.without_links.extend(sequences);
    }

    /// Notes that an unconfirmed edit may show these alerts.
    pub(super) fn mark_maybe_posted(&mut self, sequences: &BTreeSet<u64>) {
        self.maybe_posted.extend(sequences);
    }

    /// Splits these alerts into those that Discord may show already, and the
    /// others.
    pub(super) fn part_maybe_posted(&self, sequences: &BTreeSet<u64>) -> (BTreeSet<u64>, BTreeSet<u64>) {
        sequences.iter().partition(|sequence| self.maybe_posted.contains(sequence))
    }

    /// Removes second copies of alerts from other channels.
    pub(super) async fn remove_copies(&mut self) -> anyhow::Result<()> {
        let copies = self.places.copies().clone();
        if copies.is_empty() {
            return Ok(());
        }
        tracing::info!(alerts = copies.len(), "removed second copies of routed alerts");
        self.remove_stored(&copies).await?;
        self.forget(&copies);
        Ok(())
    }

    /// Removes alerts from the stream that are done in this channel. Those from
    /// other channels are remembered first, because another copy may come.
    pub(super) async fn remove_stored(&self, sequences: &BTreeSet<u64>) -> anyhow::Result<()> {
        let hops =
            self.places.hops(sequences).into_iter().map(|hop| async move {
                self.services.routed.put(&hop.key(self.channel), Bytes::new()).await
            });
        let hops: Vec<_> = hops.collect();
        let noted: anyhow::Result<()> = stream::iter(hops).buffer_unordered(IN_FLIGHT).try_collect().await;
        noted.context("cannot note what was routed here")?;
        let unreadable = self.unreadable.keys().copied().find(|sequence| !sequences.contains(sequence));
        // Alerts from this sequence on are not read yet.
        let unread = self.behind.then_some(self.cursor);
        let read = self.backlog.first_outside(sequences).into_iter().chain(unreadable);
        let kept_from = read.chain(unread).min();
        self.services.queue.remove(&self.stream, &self.subject, sequences, kept_from).await
    }

    /// Forgets alerts that are removed from the stream.
    pub(super) fn forget(&mut self, sequences: &BTreeSet<u64>) {
        self.backlog.remove(sequences);
        self.places.forget(sequences);
        self.unreadable.retain(|sequence, _| !sequences.contains(sequence));
        self.without_links.retain(|sequence| !sequences.contains(sequence));
        self.maybe_posted.retain(|sequence| !sequences.contains(sequence));
    }
}
