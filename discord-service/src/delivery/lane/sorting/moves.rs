//! The inbox's part of sorting: where its alerts are, and how they move.

use std::collections::{BTreeMap, BTreeSet};

use shared::{
    Alert, ChannelId,
    alert::{Stranded, WhyStranded},
};

use super::{
    places::{Leaving, Place, Placement, Stay},
    record::Batch,
};
use crate::delivery::lane::inbox::Inbox;

/// How many alerts are placed again at a time.
const AT_ONCE: usize = 256;

impl Inbox<'_> {
    /// Whether it is not known yet which alerts stay.
    pub(in crate::delivery::lane) fn is_unplaced(&self) -> bool {
        self.places().is_unplaced() || self.backlog().has_hushed()
    }

    /// Whether alerts wait to leave, or to be placed by their issue.
    pub(super) fn is_unsorted(&self) -> bool {
        self.places().leaving().next().is_some() || self.places().unknown().next().is_some()
    }

    /// The alerts that neither leave nor wait to be placed by their issue.
    pub(in crate::delivery::lane) fn staying(&self) -> BTreeSet<u64> {
        self.backlog().sequences().filter(|sequence| self.places().stays(*sequence)).collect()
    }

    /// A request is under way that shows these alerts, so they keep their places.
    pub(in crate::delivery::lane) fn take_off(&mut self, sequences: BTreeSet<u64>) {
        self.places_mut().take_off(sequences);
    }

    /// That request is over.
    pub(in crate::delivery::lane) fn land(&mut self) {
        let end = self.end();
        self.places_mut().land(end);
    }

    /// Changes that would become posts though a mute runs leave by it. Where the mute
    /// is their home's, which counted none of them, they end here.
    pub(super) async fn hush(&mut self) -> anyhow::Result<()> {
        let hushed = self.backlog_mut().take_hushed();
        let ended = self.places_mut().hush(hushed);
        if !ended.is_empty() {
            self.remove_stored(&ended).await?;
            metrics::counter!("sentry_bot_alerts_muted_total").increment(ended.len() as u64);
            tracing::info!(alerts = ended.len(), "a mute of their home keeps changes from being posted");
            self.forget(&ended);
        }
        Ok(())
    }

    /// All alerts must be placed again.
    pub(super) fn place_all_again(&mut self) {
        let end = self.end();
        self.places_mut().again = Some((0, end));
    }

    /// Places some alerts again, after the rules have changed. `false` if there are none
    /// to place again.
    pub(super) async fn place_again(&mut self) -> anyhow::Result<bool> {
        let Some((from, to)) = self.places().again else { return Ok(false) };
        let waiting = self.backlog().sequences_from(from).take_while(|sequence| *sequence < to);
        let some: Vec<u64> = waiting.take(AT_ONCE).collect();
        let Some(last) = some.last().copied() else {
            self.places_mut().again = None;
            return Ok(false);
        };
        let some = some.into_iter().filter(|sequence| !self.places().is_in_flight(*sequence)).collect();
        for (sequence, alert) in self.alerts(some).await? {
            let place = self.place(&alert);
            if !self.places().is_at(sequence, &place) {
                self.move_to(sequence, alert, place);
            }
        }
        self.places_mut().again = Some((last + 1, to));
        Ok(true)
    }

    /// These alerts as they came. Forgets those that somebody else has removed from
    /// the stream.
    pub(super) async fn alerts(&mut self, sequences: BTreeSet<u64>) -> anyhow::Result<Vec<(u64, Alert)>> {
        let mut found: BTreeMap<u64, Alert> = BTreeMap::new();
        let mut missing = BTreeSet::new();
        for sequence in sequences {
            match self.backlog().whole(sequence) {
                Some(alert) => drop(found.insert(sequence, as_it_came(alert.clone()))),
                None => drop(missing.insert(sequence)),
            }
        }
        if !missing.is_empty() {
            for stored in self.stored(missing.iter().copied().collect()).await? {
                missing.remove(&stored.sequence);
                if let Ok(alert) = stored.alert() {
                    found.insert(stored.sequence, alert);
                }
            }
            self.forget(&missing);
        }
        Ok(found.into_iter().collect())
    }

    /// Moves an alert to this place.
    pub(super) fn move_to(&mut self, sequence: u64, alert: Alert, place: Place) {
        self.backlog_mut().remove(&BTreeSet::from([sequence]));
        self.places_mut().forget_place(sequence);
        self.put(sequence, alert, &place);
    }

    /// Adds an alert at this place.
    pub(in crate::delivery::lane) fn put(&mut self, sequence: u64, mut alert: Alert, place: &Place) {
        self.places_mut().note(sequence, place);
        match place {
            Place::Here(Stay::Placed(placement)) => {
                if alert.routing.home.is_none() {
                    alert.routing.ping = placement.ping;
                }
                alert.routing.stranded = placement.stranded;
                self.backlog_mut().insert(sequence, alert);
            }
            Place::Here(Stay::Quiet(_)) => self.backlog_mut().insert_quiet(sequence, alert),
            Place::Away(_) | Place::Unknown => self.backlog_mut().insert_aside(sequence, alert),
        }
    }

    /// The targets of the alerts that leave.
    pub(super) fn targets(&self) -> BTreeSet<ChannelId> {
        let mut targets = BTreeSet::new();
        for (_, leaving) in self.places().leaving() {
            match leaving {
                Leaving::Route { target, .. } => drop(targets.insert(*target)),
                Leaving::Follow { targets: all, .. } => targets.extend(all),
                Leaving::Drop(_) | Leaving::Mute(_) => {}
            }
        }
        targets
    }

    /// The next alerts that leave, but for those to these targets: at most so many
    /// copies.
    pub(super) fn leaving(&self, held: &BTreeSet<ChannelId>, most: usize) -> Batch {
        let mut copies = 0;
        let free = |leaving: &Leaving| match leaving {
            Leaving::Route { target, .. } => !held.contains(target),
            Leaving::Follow { targets, .. } => targets.is_disjoint(held),
            Leaving::Drop(_) | Leaving::Mute(_) => true,
        };
        let leaving = self.places().leaving().filter(|(_, leaving)| free(leaving));
        let leaving = leaving.take_while(|(_, leaving)| {
            let first = copies == 0;
            copies += match leaving {
                Leaving::Follow { targets, .. } => targets.len(),
                _ => 1,
            };
            first || copies <= most
        });
        Batch::of(leaving)
    }

    /// Where those of the alerts stay that these targets cannot take. A change
    /// still goes to its other targets.
    pub(super) fn kept_back(
        &mut self,
        kept_back: &BTreeMap<ChannelId, WhyStranded>,
        most: usize,
    ) -> BTreeMap<u64, Place> {
        let stranded = |target: &ChannelId| {
            let why = kept_back.get(target).copied()?;
            Some(Stranded { target: *target, why })
        };
        let mut places = BTreeMap::new();
        for (sequence, leaving) in self.places_mut().leaving_mut() {
            if places.len() == most {
                break;
            }
            let placement = match leaving {
                Leaving::Route { rule, target, ping } => {
                    Placement { rule: Some(*rule), ping: *ping, stranded: stranded(target) }
                }
                Leaving::Follow { targets, stays, quiet } => {
                    let stranded = targets.iter().find_map(stranded);
                    targets.retain(|target| !kept_back.contains_key(target));
                    if !targets.is_empty() {
                        continue;
                    }
                    let silent = match (*stays, *quiet) {
                        (Some(stay), _) => Some(Place::Here(stay)),
                        (None, mute) => mute.map(|mute| Place::Away(Leaving::Mute(mute))),
                    };
                    if let Some(place) = silent {
                        places.insert(sequence, place);
                        continue;
                    }
                    Placement { stranded, ..Placement::default() }
                }
                Leaving::Drop(_) | Leaving::Mute(_) => continue,
            };
            if placement.stranded.is_some() {
                places.insert(sequence, placement.place());
            }
        }
        places
    }

    /// The next changes whose place is not known.
    pub(super) fn unknown(&self, most: usize) -> BTreeSet<u64> {
        self.places().unknown().take(most).collect()
    }

    /// How an alert stays that also goes to other channels.
    pub(super) fn stay_of(&self, sequence: u64) -> Option<Stay> {
        self.places().stay_of(sequence)
    }
}

/// What the rules of this channel made of it does not count.
fn as_it_came(mut alert: Alert) -> Alert {
    alert.routing.stranded = None;
    if alert.routing.home.is_none() {
        alert.routing.ping = None;
    }
    alert
}
