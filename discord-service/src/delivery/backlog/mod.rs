//! The alerts that wait for one channel: an index over the stream, small enough
//! for a whole backlog. It does no I/O.

mod changes;
mod embeds;
mod origin;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use shared::{
    Alert, ChannelId,
    alert::{Routing, Stranded},
};
use tokio::sync::{Semaphore, SemaphorePermit};

use self::{
    embeds::Embeds,
    origin::{Origin, Origins},
};
use super::{
    fold::{Class, FoldKey},
    issue::IssueKey,
};
use crate::trust::{Admission, Distrust, JudgingKeys};

/// How many waiting alerts are kept in full, so that a lone one is not read
/// twice.
const KEPT_WHOLE: usize = 32;
/// The room for such alerts in all lanes together. One may take 10 KiB.
static ROOM_FOR_WHOLE: Semaphore = Semaphore::const_new(4_096);

#[derive(Debug)]
struct BacklogEntry {
    key: FoldKey,
    timestamp_ms: i64,
    /// Since when it waits. Its age counts from then.
    since_ms: i64,
    origin: Arc<Origin>,
    received_ms: i64,
    issue: Option<IssueKey>,
    class: Class,
    whole: Option<Box<(Alert, SemaphorePermit<'static>)>>,
}

impl BacklogEntry {
    fn is_about(&self, issue: &IssueKey) -> bool {
        self.issue.is_some_and(|own| own.is(issue))
    }
}

/// How a waiting alert may be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Showing {
    Any,
    Edit,
    Nowhere,
}

/// Alerts that go into one embed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Group {
    /// Their sequences in the stream, ascending.
    pub(crate) sequences: BTreeSet<u64>,
    /// The sequence of the latest one.
    pub(crate) latest: u64,
    /// The times of the first and the last of them, in milliseconds since 1970.
    pub(crate) span_ms: (i64, i64),
    /// Since when the first and the last of them wait, in milliseconds since
    /// 1970.
    pub(crate) since_ms: (i64, i64),
    /// On what they were let in, each with its newest time of receipt in
    /// milliseconds since 1970.
    pub(crate) admissions: BTreeMap<Admission, i64>,
    /// Why the newest of those is here that a rule sends elsewhere.
    pub(crate) stranded: Option<Stranded>,
}

/// The waiting alerts of one channel by their sequence in the stream.
#[derive(Debug, Default)]
pub(crate) struct Backlog {
    /// Boxed, because the nodes of the tree are hardly more than half full.
    waiting: BTreeMap<u64, Box<BacklogEntry>>,
    embeds: Embeds,
    whole: usize,
    /// Changes that a mute keeps from becoming posts.
    quiet: BTreeSet<u64>,
    /// Those of them that would have become posts.
    hushed: BTreeSet<u64>,
    origins: Origins,
    /// All alerts below this sequence are trusted with these keys.
    trusted: Option<(JudgingKeys, u64)>,
}

impl Backlog {
    /// Adds an alert. Sequences may come in any order, each once.
    pub(crate) fn insert(&mut self, sequence: u64, alert: Alert) {
        self.add(sequence, alert, Showing::Any);
    }

    /// Adds a change of an issue that a mute keeps from becoming a post.
    pub(crate) fn insert_quiet(&mut self, sequence: u64, alert: Alert) {
        self.quiet.insert(sequence);
        self.add(sequence, alert, Showing::Edit);
    }

    /// Adds an alert that waits to leave the channel, or to be sorted. It is in no
    /// embed.
    pub(crate) fn insert_aside(&mut self, sequence: u64, alert: Alert) {
        self.add(sequence, alert, Showing::Nowhere);
    }

    fn add(&mut self, sequence: u64, alert: Alert, showing: Showing) {
        let issue = IssueKey::of(&alert);
        let class = Class::of(&alert, issue);
        let class = if showing == Showing::Edit && class == Class::Return { Class::Change } else { class };
        let key = FoldKey::of(&alert, class);
        let (timestamp_ms, received_ms) = (alert.timestamp_ms, alert.received_ms);
        let since_ms = alert.waiting_since_ms();
        let origin = self.origins.of(&alert);
        let room = ROOM_FOR_WHOLE.try_acquire().ok().filter(|_| self.whole < KEPT_WHOLE);
        let whole = room.map(|room| Box::new((alert, room)));
        self.whole += usize::from(whole.is_some());
        let waiting = BacklogEntry { key, timestamp_ms, since_ms, origin, received_ms, issue, class, whole };
        self.waiting.insert(sequence, Box::new(waiting));
        if let Some((_, next)) = &mut self.trusted {
            *next = sequence.min(*next);
        }
        if showing != Showing::Nowhere {
            self.embeds.add(key, sequence);
        }
    }

    /// Takes the alerts that would become posts, though a mute keeps them quiet.
    /// They are in no embed any more.
    pub(crate) fn take_hushed(&mut self) -> BTreeSet<u64> {
        std::mem::take(&mut self.hushed)
    }

    /// Whether there are such alerts.
    pub(crate) fn has_hushed(&self) -> bool {
        !self.hushed.is_empty()
    }

    /// Whether none waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// How many wait.
    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// All waiting sequences, ascending.
    pub(crate) fn sequences(&self) -> impl Iterator<Item = u64> {
        self.waiting.keys().copied()
    }

    /// The waiting sequences from this one on, ascending.
    pub(crate) fn sequences_from(&self, from: u64) -> impl Iterator<Item = u64> {
        self.waiting.range(from..).map(|(sequence, _)| *sequence)
    }

    /// The lowest waiting sequence that is not in `other`.
    pub(crate) fn first_outside(&self, other: &BTreeSet<u64>) -> Option<u64> {
        self.sequences().find(|sequence| !other.contains(sequence))
    }

    /// The alerts that have been waiting since before this time.
    pub(crate) fn waiting_before(&self, limit_ms: i64) -> BTreeSet<u64> {
        let old = self.waiting.iter().filter(|(_, waiting)| waiting.since_ms < limit_ms);
        old.map(|(sequence, _)| *sequence).collect()
    }

    /// The channels whose rules sent alerts here.
    pub(crate) fn homes(&self) -> BTreeSet<ChannelId> {
        self.origins.homes()
    }

    /// The alerts that are no longer trusted, for one of the reasons. Alerts
    /// that were checked with the same keys are not checked again.
    pub(crate) fn distrusted(&mut self, keys: &JudgingKeys) -> Option<(Distrust, BTreeSet<u64>)> {
        let from = self.trusted.as_ref().filter(|(same, _)| same == keys).map_or(0, |(_, next)| *next);
        let mut distrusted: BTreeMap<Distrust, BTreeSet<u64>> = BTreeMap::new();
        for (sequence, waiting) in self.waiting.range(from..) {
            if let Some(why) = keys.distrust(&waiting.origin.admission, waiting.received_ms) {
                distrusted.entry(why).or_default().insert(*sequence);
            }
        }
        if distrusted.is_empty() {
            let next = self.waiting.last_key_value().map_or(from, |(last, _)| last + 1);
            self.trusted = Some((keys.clone(), next));
        }
        distrusted.pop_first()
    }

    /// The future embeds, in the order of the first alert in each.
    pub(crate) fn posts(&self) -> impl Iterator<Item = Group> {
        self.embeds_to_post().filter_map(|head| self.group(head))
    }

    /// The first alert of each future embed.
    pub(crate) fn embeds_to_post(&self) -> impl Iterator<Item = u64> {
        self.classed(|class| class == Class::News).map(|(head, _)| head)
    }

    /// The first alert of each future embed, for the wanted classes.
    fn classed(&self, wanted: impl Fn(Class) -> bool) -> impl Iterator<Item = (u64, &BacklogEntry)> {
        let heads = self.embeds.heads().filter_map(|head| Some((head, &**self.waiting.get(&head)?)));
        heads.filter(move |(_, waiting)| wanted(waiting.class))
    }

    fn group(&self, head: u64) -> Option<Group> {
        let first = self.waiting.get(&head)?;
        let sequences = self.embeds.sequences(first.key, head)?;
        let times = sequences.iter().filter_map(|s| Some((self.waiting.get(s)?.timestamp_ms, *s)));
        let (last_ms, latest) = times.clone().max()?;
        let (first_ms, _) = times.min()?;
        let since = sequences.iter().filter_map(|s| Some(self.waiting.get(s)?.since_ms));
        let since_ms = (since.clone().min()?, since.max()?);
        let waiting = sequences.iter().filter_map(|s| self.waiting.get(s));
        let admissions = waiting.clone().map(|waiting| (&waiting.origin.admission, waiting.received_ms));
        let admissions = newest(admissions);
        let stranded = waiting.filter_map(|waiting| waiting.origin.stranded).next_back();
        Some(Group { sequences, latest, span_ms: (first_ms, last_ms), since_ms, admissions, stranded })
    }

    /// The alert itself, if it was kept in full.
    pub(crate) fn whole(&self, sequence: u64) -> Option<&Alert> {
        self.waiting.get(&sequence)?.whole.as_deref().map(|(alert, _)| alert)
    }

    /// What rules made of the alert. The stream does not know it of alerts that are kept.
    pub(crate) fn routing(&self, sequence: u64) -> Option<Routing> {
        self.waiting.get(&sequence).map(|waiting| waiting.origin.routing())
    }

    /// From now on each embed of these alerts is posted alone and nothing joins
    /// it, because Discord refused a post that they shared.
    pub(crate) fn isolate(&mut self, sequences: &BTreeSet<u64>) {
        let keys = sequences.iter().filter_map(|sequence| Some((*sequence, self.waiting.get(sequence)?.key)));
        self.embeds.isolate(keys.collect());
    }

    /// Whether this alert's embed is posted alone.
    pub(crate) fn is_alone(&self, sequence: u64) -> bool {
        self.embeds.is_alone(sequence)
    }

    /// Forgets alerts that are posted or dead.
    pub(crate) fn remove(&mut self, sequences: &BTreeSet<u64>) {
        for &sequence in sequences {
            self.quiet.remove(&sequence);
            self.hushed.remove(&sequence);
            if let Some(gone) = self.waiting.remove(&sequence) {
                self.whole -= usize::from(gone.whole.is_some());
                self.embeds.remove(gone.key, sequence);
            }
        }
        if self.waiting.is_empty() {
            self.origins = Origins::default();
        }
    }
}

/// Each kind of admission with its newest time of receipt.
pub(crate) fn newest<'a>(receipts: impl Iterator<Item = (&'a Admission, i64)>) -> BTreeMap<Admission, i64> {
    let mut newest: BTreeMap<Admission, i64> = BTreeMap::new();
    for (admission, received_ms) in receipts {
        match newest.get_mut(admission) {
            Some(latest) => *latest = received_ms.max(*latest),
            None => drop(newest.insert(admission.clone(), received_ms)),
        }
    }
    newest
}

#[cfg(test)]
mod tests;
