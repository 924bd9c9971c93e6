//! The alerts that wait for the channel, as the lane knows them.
//!
//! [`reading`] reads them from the stream, and [`copies`] finds second copies of
//! alerts from other channels.

mod copies;
mod reading;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use futures::{StreamExt as _, TryStreamExt as _, stream};
use shared::{Alert, ChannelId, wire};

use super::{
    services::Services,
    sorting::{Place, Places},
};
use crate::{
    delivery::{backlog::Backlog, backlog_memory::BacklogShare},
    direct_get::StoredMessage,
    rules::ChannelRules,
};

/// How many messages are asked for at once.
const IN_FLIGHT: usize = 64;

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

    /// Where this alert belongs, as far as is known without a look-up.
    pub(super) fn place(&self, alert: &Alert) -> Place {
        self.places.place(alert, (self.services.now_ms)())
    }

    /// Whether the stream holds more than there is room for.
    pub(super) const fn is_behind(&self) -> bool {
        self.behind
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
            let unread = sequences.range(self.cursor..).map(|&sequence| async move {
                anyhow::Ok((sequence, self.services.queue.still_waits(sequence).await?))
            });
            let unread: Vec<_> = unread.collect();
            let unread: Vec<(u64, bool)> = stream::iter(unread).buffered(IN_FLIGHT).try_collect().await?;
            still_waiting
                .extend(unread.into_iter().filter(|(_, waits)| *waits).map(|(sequence, _)| sequence));
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

    /// Removes alerts from the stream that are done in this channel. Those from
    /// other channels are remembered first, because another copy may come.
    pub(super) async fn remove_stored(&self, sequences: &BTreeSet<u64>) -> anyhow::Result<()> {
        self.note_done(sequences).await?;
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
