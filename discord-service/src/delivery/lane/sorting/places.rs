//! Where the waiting alerts of a channel belong, by its rules and mutes.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use shared::{
    Alert, ChannelId,
    alert::{Ping, Stranded},
};

use crate::{
    delivery::{fold::Class, hop_id::HopId, issue::IssueKey},
    rules::{ChannelRules, Decision, decide},
};

/// How an alert that stays is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::delivery::lane) struct Placement {
    /// The rule that keeps it here.
    pub(super) rule: Option<u64>,
    pub(super) ping: Option<Ping>,
    pub(super) stranded: Option<Stranded>,
}

impl Placement {
    pub(super) const fn place(self) -> Place {
        Place::Here(Stay::Placed(self))
    }
}

/// How an alert leaves the channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::delivery::lane) enum Leaving {
    Route {
        rule: u64,
        target: ChannelId,
        ping: Option<Ping>,
    },
    Drop(u64),
    Mute(u64),
    /// A change of an issue whose messages are in other channels. It stays as well
    /// if some are here.
    Follow {
        targets: BTreeSet<ChannelId>,
        stays: Option<Stay>,
        /// The mute that keeps it from making a message there.
        quiet: Option<u64>,
    },
}

/// How a change of an issue stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::delivery::lane) enum Stay {
    Placed(Placement),
    /// Only as an edit, because this mute runs, or one of its home.
    Quiet(Option<u64>),
}

/// Where one alert belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::delivery::lane) enum Place {
    Here(Stay),
    Away(Leaving),
    /// A change of an issue. Where it belongs depends on where its messages are.
    Unknown,
}

/// Where all waiting alerts of a channel belong.
#[derive(Debug, Default)]
pub(in crate::delivery::lane) struct Places {
    /// The rules by which alerts are placed. None are known at first.
    rules: Option<Arc<ChannelRules>>,
    /// Those that stay with something to note.
    here: BTreeMap<u64, Placement>,
    /// Changes that a mute keeps from becoming posts.
    quiet: BTreeMap<u64, Option<u64>>,
    away: BTreeMap<u64, Leaving>,
    unknown: BTreeSet<u64>,
    /// Below the second sequence and from the first on, alerts must be placed again.
    pub(super) again: Option<(u64, u64)>,
    /// The alerts of the request in flight, which keep their places.
    in_flight: BTreeSet<u64>,
    /// Whether the rules have changed since it began.
    changed_in_flight: bool,
    /// The ids of alerts that came from other channels.
    hops: BTreeMap<u64, HopId>,
    sequences: HashMap<HopId, u64>,
    /// Second copies of alerts from other channels.
    copies: BTreeSet<u64>,
}

impl Places {
    pub(in crate::delivery::lane) const fn rules(&self) -> Option<&Arc<ChannelRules>> {
        self.rules.as_ref()
    }

    /// Whether the channel has, or once had, rules or mutes.
    pub(in crate::delivery::lane) fn has_rules(&self) -> bool {
        self.rules.as_deref().is_some_and(are_any)
    }

    /// Learns the rules. All alerts below `end` must be placed again if they have
    /// changed.
    pub(in crate::delivery::lane) fn learn(&mut self, rules: &Arc<ChannelRules>, end: u64) {
        let former = self.rules.replace(rules.clone());
        let same = match former {
            Some(former) => {
                Arc::ptr_eq(&former, rules) || (former.rules == rules.rules && former.mutes == rules.mutes)
            }
            None => !are_any(rules),
        };
        if !same {
            self.again = Some((0, end));
            self.changed_in_flight = true;
        }
    }

    /// A request is under way that shows these alerts.
    pub(super) fn take_off(&mut self, sequences: BTreeSet<u64>) {
        self.in_flight = sequences;
        self.changed_in_flight = false;
    }

    /// The request is over. All alerts below `end` must be placed again if the rules
    /// have changed meanwhile.
    pub(super) fn land(&mut self, end: u64) {
        self.in_flight.clear();
        if std::mem::take(&mut self.changed_in_flight) {
            self.again = Some((0, end));
        }
    }

    pub(super) fn is_in_flight(&self, sequence: u64) -> bool {
        self.in_flight.contains(&sequence)
    }

    /// The alerts that leave. Those in flight wait for their request: whether they
    /// are shown here is not known yet.
    pub(super) fn leaving(&self) -> impl Iterator<Item = (u64, &Leaving)> {
        let leaving = self.away.iter().map(|(sequence, leaving)| (*sequence, leaving));
        leaving.filter(move |(sequence, _)| !self.in_flight.contains(sequence))
    }

    /// The same, to change how they leave.
    pub(super) fn leaving_mut(&mut self) -> impl Iterator<Item = (u64, &mut Leaving)> {
        let Self { away, in_flight, .. } = self;
        let leaving = away.iter_mut().map(|(sequence, leaving)| (*sequence, leaving));
        leaving.filter(move |(sequence, _)| !in_flight.contains(sequence))
    }

    /// The changes whose place is not known, but for those in flight.
    pub(super) fn unknown(&self) -> impl Iterator<Item = u64> {
        self.unknown.difference(&self.in_flight).copied()
    }

    /// Whether the alert neither leaves nor waits to be placed.
    pub(super) fn stays(&self, sequence: u64) -> bool {
        !self.away.contains_key(&sequence) && !self.unknown.contains(&sequence)
    }

    /// How an alert stays that also goes to other channels.
    pub(super) fn stay_of(&self, sequence: u64) -> Option<Stay> {
        match self.away.get(&sequence) {
            Some(Leaving::Follow { stays, .. }) => *stays,
            _ => None,
        }
    }

    /// Whether a mute by which an alert is about to leave has ended.
    pub(super) fn is_out_of_date(&self, now_ms: i64) -> bool {
        let Some(rules) = &self.rules else { return false };
        let runs = |number| rules.mutes.iter().any(|mute| mute.number == number && mute.runs(now_ms));
        let leaving = self.leaving().filter_map(|(_, leaving)| match leaving {
            Leaving::Mute(number) => Some(*number),
            Leaving::Follow { quiet, .. } => *quiet,
            _ => None,
        });
        let mutes: BTreeSet<u64> = leaving.collect();
        mutes.into_iter().any(|number| !runs(number))
    }

    /// Where this alert belongs.
    pub(in crate::delivery::lane) fn place(&self, alert: &Alert, now_ms: i64) -> Place {
        let here = Place::Here(as_routed(alert));
        let Some(rules) = self.rules.as_deref().filter(|rules| are_any(rules)) else { return here };
        if alert.routing.home.is_some() && rules.mutes.is_empty() {
            return here;
        }
        if Class::of(alert, IssueKey::of(alert)) != Class::News {
            return Place::Unknown;
        }
        place_news(rules, alert, now_ms)
    }

    /// Notes where an alert is.
    pub(in crate::delivery::lane) fn note(&mut self, sequence: u64, place: &Place) {
        match place {
            Place::Here(Stay::Placed(placement)) if *placement == Placement::default() => {}
            Place::Here(Stay::Placed(placement)) => drop(self.here.insert(sequence, *placement)),
            Place::Here(Stay::Quiet(mute)) => drop(self.quiet.insert(sequence, *mute)),
            Place::Away(leaving) => drop(self.away.insert(sequence, leaving.clone())),
            Place::Unknown => drop(self.unknown.insert(sequence)),
        }
    }

    /// Whether the alert has this place already, so that nothing needs to move.
    pub(super) fn is_at(&self, sequence: u64, place: &Place) -> bool {
        let Place::Here(Stay::Placed(placement)) = place else { return false };
        !self.away.contains_key(&sequence)
            && !self.unknown.contains(&sequence)
            && !self.quiet.contains_key(&sequence)
            && self.placement(sequence) == *placement
    }

    /// How an alert that stays is shown.
    pub(in crate::delivery::lane) fn placement(&self, sequence: u64) -> Placement {
        self.here.get(&sequence).copied().unwrap_or_default()
    }

    /// How many of these alerts each rule kept here.
    pub(in crate::delivery::lane) fn kept_by(&self, sequences: &BTreeSet<u64>) -> BTreeMap<u64, u64> {
        let mut kept_by = BTreeMap::new();
        if self.here.is_empty() {
            return kept_by;
        }
        for rule in sequences.iter().filter_map(|sequence| self.here.get(sequence)?.rule) {
            *kept_by.entry(rule).or_default() += 1;
        }
        kept_by
    }

    /// Changes that would become posts leave by their mutes. Returns those that a
    /// mute of their home keeps quiet.
    pub(super) fn hush(&mut self, hushed: BTreeSet<u64>) -> BTreeSet<u64> {
        let mut of_homes = BTreeSet::new();
        for sequence in hushed {
            match self.quiet.remove(&sequence) {
                Some(Some(mute)) => drop(self.away.insert(sequence, Leaving::Mute(mute))),
                Some(None) => drop(of_homes.insert(sequence)),
                None => {}
            }
        }
        of_homes
    }

    /// Whether the rules are not known yet, or have changed.
    pub(super) fn is_unplaced(&self) -> bool {
        self.rules.is_none() || self.again.is_some()
    }

    /// Notes the id of an alert from another channel. `false` if another copy of it
    /// waits.
    pub(in crate::delivery::lane) fn note_hop(&mut self, sequence: u64, hop: HopId) -> bool {
        if self.sequences.get(&hop).is_some_and(|first| *first != sequence) {
            return false;
        }
        self.hops.insert(sequence, hop);
        self.sequences.insert(hop, sequence);
        true
    }

    /// The ids of those of these alerts that came from other channels.
    pub(in crate::delivery::lane) fn hops(&self, sequences: &BTreeSet<u64>) -> Vec<HopId> {
        if self.hops.is_empty() {
            return Vec::new();
        }
        sequences.iter().filter_map(|sequence| self.hops.get(sequence).copied()).collect()
    }

    pub(in crate::delivery::lane) fn add_copy(&mut self, sequence: u64) {
        self.copies.insert(sequence);
    }

    /// The second copies of alerts.
    pub(in crate::delivery::lane) const fn copies(&self) -> &BTreeSet<u64> {
        &self.copies
    }

    /// Forgets where an alert is.
    pub(super) fn forget_place(&mut self, sequence: u64) {
        self.here.remove(&sequence);
        self.quiet.remove(&sequence);
        self.away.remove(&sequence);
        self.unknown.remove(&sequence);
    }

    /// Forgets alerts that are gone.
    pub(in crate::delivery::lane) fn forget(&mut self, sequences: &BTreeSet<u64>) {
        for &sequence in sequences {
            self.forget_place(sequence);
            self.copies.remove(&sequence);
            if let Some(hop) = self.hops.remove(&sequence) {
                self.sequences.remove(&hop);
            }
        }
    }

    /// Forgets all alerts.
    pub(in crate::delivery::lane) fn start_over(&mut self) {
        *self = Self { rules: self.rules.take(), ..Self::default() };
    }
}

fn are_any(rules: &ChannelRules) -> bool {
    rules.last_rule > 0 || rules.last_mute > 0 || !rules.rules.is_empty() || !rules.mutes.is_empty()
}

/// How an alert stays that no rule of this channel decides.
fn as_routed(alert: &Alert) -> Stay {
    if alert.routing.quiet { Stay::Quiet(None) } else { Stay::Placed(Placement::default()) }
}

/// Where an alert belongs that makes a new message.
pub(super) fn place_news(rules: &ChannelRules, alert: &Alert, now_ms: i64) -> Place {
    match decide(rules, alert, now_ms) {
        Decision::Keep { .. } if alert.routing.home.is_some() => Place::Here(as_routed(alert)),
        Decision::Keep { rule, ping } => Place::Here(Stay::Placed(Placement { rule, ping, stranded: None })),
        Decision::Route { rule, target, ping } => Place::Away(Leaving::Route { rule, target, ping }),
        Decision::Drop(rule) => Place::Away(Leaving::Drop(rule)),
        Decision::Mute(mute) => Place::Away(Leaving::Mute(mute)),
    }
}
