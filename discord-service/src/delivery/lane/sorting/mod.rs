//! Sorts what comes to a channel by its rules and mutes.
//!
//! [`places`] says where each waiting alert belongs. Those that stay are in the
//! backlog as any other. The rest leaves in batches:
//!
//! 1. [`mod@record`] is written: who goes where, who is dropped or muted, and the
//!    counts after that.
//! 2. [`hop`] publishes the copies for other channels.
//! 3. The alerts are removed from this channel's queue.
//!
//! A successor finishes a recorded batch exactly as it was decided. [`changes`]
//! finds out where changes of issues belong, and [`mute_end`] tells what a mute
//! kept quiet. [`beside`] sorts while a request to Discord is under way.

mod beside;
mod changes;
mod hop;
mod moves;
mod mute_end;
mod places;
mod record;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use shared::{
    Alert, ChannelId, GuildId,
    alert::{Stranded, WhyStranded},
};
use tokio::time::Instant;

pub(crate) use self::mute_end::all_muted;
pub(super) use self::places::{Place, Places, Stay};
use self::{
    beside::NextLook,
    places::{Leaving, Placement},
    record::{Batch, Destination, Hop, SortingJournal},
};
use super::{inbox::Inbox, interruption::Interruption, services::Services};
use crate::{
    authority::{AskAgain, ChannelStanding},
    delivery::routed_issues::RoutedIssues,
};

/// How many alerts leave at a time.
const BATCH: usize = 256;
/// When to ask again for a target that nobody knows now.
const ASK_AGAIN_AFTER: Duration = Duration::from_millis(500);

/// Sorts the alerts of one channel.
pub(super) struct Sorter<'a> {
    services: &'a Services,
    channel: ChannelId,
    /// Absent while the channel never had rules or mutes.
    journal: Option<SortingJournal>,
    issues: RoutedIssues,
    /// Nothing leaves before then, because a target was not known.
    held_until: Option<Instant>,
    next_look: NextLook,
}

impl<'a> Sorter<'a> {
    pub(super) fn new(services: &'a Services, channel: ChannelId) -> Self {
        let (issues, next_look) = (RoutedIssues::new(channel), NextLook::new());
        Self { services, channel, journal: None, issues, held_until: None, next_look }
    }

    /// Reads the sorting record of the channel, which the lane's record announces.
    pub(super) async fn open(&mut self, stream: &str) -> anyhow::Result<()> {
        let bucket = self.services.lanes_bucket.clone();
        self.journal = Some(SortingJournal::open(bucket, self.channel, stream).await?);
        self.clear_old_mark().await
    }

    pub(super) const fn is_open(&self) -> bool {
        self.journal.is_some()
    }

    /// When something may be sorted that had to wait.
    pub(super) fn held_until(&self) -> Option<Instant> {
        self.held_until.filter(|until| *until > Instant::now())
    }

    /// Whether there is something to sort now.
    pub(super) fn has_work(&self, inbox: &Inbox<'_>) -> bool {
        inbox.is_unplaced() || inbox.is_unsorted() && self.held_until().is_none()
    }

    /// Finishes the batch that a predecessor recorded. Its copies may have been
    /// published.
    pub(super) async fn resume(&mut self, inbox: &mut Inbox<'_>) -> anyhow::Result<()> {
        let Some(journal) = self.journal.as_ref().filter(|journal| !journal.batch().is_empty()) else {
            return Ok(());
        };
        let batch = journal.batch().clone();
        self.carry_out(inbox, &batch, true).await
    }

    /// Sorts some alerts. `guild` is the channel's.
    pub(super) async fn work(&mut self, inbox: &mut Inbox<'_>, guild: GuildId) -> Result<(), Interruption> {
        let Some(rules) = inbox.places().rules().cloned() else { return Ok(()) };
        let now_ms = (self.services.now_ms)();
        self.held_until = None;
        inbox.hush().await?;
        if inbox.places().is_out_of_date(now_ms) {
            inbox.place_all_again();
        }
        if inbox.place_again().await? {
            return Ok(());
        }
        let (kept_back, unknown) = self.obstacles(inbox, guild).await?;
        if !unknown.is_empty() {
            self.held_until = Some(Instant::now() + ASK_AGAIN_AFTER);
        }
        if !kept_back.is_empty() {
            let places = inbox.kept_back(&kept_back, BATCH);
            return Ok(self.keep(inbox, &places).await?);
        }
        let batch = inbox.leaving(&unknown, BATCH);
        if batch.is_empty() {
            return Ok(self.place_changes(inbox).await?);
        }
        let Some(journal) = &self.journal else { return Ok(()) };
        let next = journal.record.with(inbox.stream(), batch.clone(), &rules, now_ms);
        if next.marked && !journal.record.marked {
            // Before the record: the note makes a successor open the lane.
            self.mark().await?;
        }
        if let Some(journal) = &mut self.journal {
            journal.write(next).await?;
        }
        Ok(self.carry_out(inbox, &batch, false).await?)
    }

    /// Which targets cannot take the next alerts, and which cannot be asked about now.
    async fn obstacles(
        &self,
        inbox: &Inbox<'_>,
        guild: GuildId,
    ) -> Result<(BTreeMap<ChannelId, WhyStranded>, BTreeSet<ChannelId>), Interruption> {
        let (mut kept_back, mut unknown) = (BTreeMap::new(), BTreeSet::new());
        for target in inbox.targets() {
            match self.obstacle(target, guild).await {
                Ok(None) => {}
                Ok(Some(why)) => drop(kept_back.insert(target, why)),
                Err(error @ AskAgain::BadToken(_)) => return Err(error.into()),
                Err(error) => {
                    tracing::debug!(target.id = %target, "a rule's target is not known now: {error}");
                    unknown.insert(target);
                }
            }
        }
        Ok((kept_back, unknown))
    }

    async fn obstacle(&self, target: ChannelId, guild: GuildId) -> Result<Option<WhyStranded>, AskAgain> {
        let authority = &self.services.authority;
        match authority.standing(target).await? {
            ChannelStanding::Authorized(its) if its == guild => {}
            _ => return Ok(Some(WhyStranded::Gone)),
        }
        if authority.is_deleted(target).await.map_err(AskAgain::Elsewhere)? {
            return Ok(Some(WhyStranded::Gone));
        }
        let secured = authority.trust(target).await?.secured && !authority.trust(self.channel).await?.secured;
        Ok(secured.then_some(WhyStranded::Secured))
    }

    /// Keeps these alerts here.
    async fn keep(&self, inbox: &mut Inbox<'_>, places: &BTreeMap<u64, Place>) -> anyhow::Result<()> {
        for (sequence, alert) in inbox.alerts(places.keys().copied().collect()).await? {
            let Some(place) = places.get(&sequence) else { continue };
            if let Place::Here(Stay::Placed(Placement { stranded: Some(stranded), .. })) = place {
                let why = why(stranded.why);
                metrics::counter!("sentry_bot_alerts_stranded_total", "why" => why).increment(1);
                tracing::info!(alert.id = sequence, target.id = %stranded.target, why, "an alert stays in its home");
            }
            inbox.move_to(sequence, alert, place.clone());
        }
        Ok(())
    }

    /// Does what the record says. `resumed`: a predecessor may have done a part.
    async fn carry_out(&mut self, inbox: &mut Inbox<'_>, batch: &Batch, resumed: bool) -> anyhow::Result<()> {
        let hops = batch.hops();
        let (dropped, muted) = batch.ended();
        let mut all: BTreeSet<u64> = hops.iter().map(|hop| hop.sequence).collect();
        all.extend(dropped.iter().chain(&muted));
        let waiting = if resumed { inbox.still_waiting(&all).await? } else { all };
        let hops: Vec<Hop> = hops.into_iter().filter(|hop| waiting.contains(&hop.sequence)).collect();
        let wanted = hops.iter().map(|hop| hop.sequence).collect();
        let alerts: BTreeMap<u64, Alert> = inbox.alerts(wanted).await?.into_iter().collect();
        self.note_names(inbox, &alerts, dropped.union(&muted));
        let full = self.publish(inbox, &hops, &alerts, resumed).await?;
        let stays: BTreeSet<u64> = hops.iter().filter(|hop| hop.to.stay).map(|hop| hop.sequence).collect();
        let stranded = stranded(&hops, &full);
        let kept: BTreeSet<u64> = stranded.iter().map(|hop| hop.sequence).collect();
        let mut gone: BTreeSet<u64> = dropped.union(&muted).copied().collect();
        // What this build cannot read was not published.
        gone.extend(alerts.keys());
        gone.retain(|sequence| {
            waiting.contains(sequence) && !stays.contains(sequence) && !kept.contains(sequence)
        });
        if !stranded.is_empty()
            && let Some(journal) = &mut self.journal
        {
            // Before they are posted here: a successor must not send them again.
            let next = journal.record.without(&stranded);
            inbox.remove_stored(&gone).await?;
            journal.write(next).await?;
        } else {
            inbox.remove_stored(&gone).await?;
        }
        count(&gone, &dropped, &muted);
        inbox.forget(&gone);
        self.settle(inbox, &stays, &alerts);
        let why = WhyStranded::Full;
        let stranded = stranded.into_iter().map(|Hop { sequence, to }| {
            let Destination { target, rule, ping, quiet, .. } = to;
            let shown = Placement { rule, ping, stranded: Some(Stranded { target, why }) }.place();
            (sequence, quiet.map_or(shown, |mute| Place::Away(Leaving::Mute(mute))))
        });
        self.keep(inbox, &stranded.collect()).await
    }

    /// Notes the names in alerts that this channel does not show.
    fn note_names<'b>(
        &self,
        inbox: &Inbox<'_>,
        alerts: &BTreeMap<u64, Alert>,
        ended: impl Iterator<Item = &'b u64>,
    ) {
        let ended = ended.filter_map(|sequence| inbox.backlog().whole(*sequence));
        alerts.values().chain(ended).for_each(|alert| self.services.names.note(self.channel, alert));
    }

    /// Changes that went to other channels may stay here too.
    fn settle(&self, inbox: &mut Inbox<'_>, stays: &BTreeSet<u64>, alerts: &BTreeMap<u64, Alert>) {
        for sequence in stays {
            if let (Some(stay), Some(alert)) = (inbox.stay_of(*sequence), alerts.get(sequence)) {
                inbox.move_to(*sequence, alert.clone(), Place::Here(stay));
            }
        }
    }
}

/// The alerts that no channel could take, each with one of its hops.
fn stranded(hops: &[Hop], full: &BTreeSet<Hop>) -> Vec<Hop> {
    let left: BTreeSet<u64> =
        hops.iter().filter(|hop| hop.to.stay || !full.contains(hop)).map(|hop| hop.sequence).collect();
    let mut stranded: Vec<Hop> = full.iter().filter(|hop| !left.contains(&hop.sequence)).copied().collect();
    stranded.dedup_by_key(|hop| hop.sequence);
    stranded
}

fn count(gone: &BTreeSet<u64>, dropped: &BTreeSet<u64>, muted: &BTreeSet<u64>) {
    let number = |some: &BTreeSet<u64>| some.intersection(gone).count() as u64;
    let (dropped, muted) = (number(dropped), number(muted));
    let routed = gone.len() as u64 - dropped - muted;
    metrics::counter!("sentry_bot_alerts_routed_total").increment(routed);
    metrics::counter!("sentry_bot_alerts_dropped_total", "why" => "rule").increment(dropped);
    metrics::counter!("sentry_bot_alerts_muted_total").increment(muted);
    for alert_ids in crate::sequences::log_ids(gone) {
        tracing::info!(alert.ids = %alert_ids, routed, dropped, muted, "sorted");
    }
}

/// The reason as a metric's label.
const fn why(why: WhyStranded) -> &'static str {
    match why {
        WhyStranded::Full => "full",
        WhyStranded::Gone => "gone",
        WhyStranded::Secured => "secured",
    }
}
