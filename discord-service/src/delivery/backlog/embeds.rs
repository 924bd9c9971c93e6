//! Which waiting alerts share an embed, and the order of the embeds.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::delivery::fold::{Fold, FoldKey};

/// The embeds to be.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Embeds {
    /// Sequences by fold key; those of `isolated` are not in it.
    folds: HashMap<FoldKey, Fold>,
    /// The first sequence of each embed.
    heads: BTreeSet<u64>,
    /// Embeds that go out alone and that nothing joins any more.
    isolated: Vec<BTreeSet<u64>>,
}

impl Embeds {
    /// The first sequence of each embed, ascending.
    pub(super) fn heads(&self) -> impl Iterator<Item = u64> {
        self.heads.iter().copied()
    }

    /// The sequences of the embed to which this alert belongs.
    pub(super) fn sequences(&self, key: FoldKey, sequence: u64) -> Option<BTreeSet<u64>> {
        match self.isolated.iter().find(|embed| embed.contains(&sequence)) {
            Some(isolated) => Some(isolated.clone()),
            None => self.folds.get(&key).map(Fold::sequences),
        }
    }

    /// Whether this alert's embed goes out alone.
    pub(super) fn is_alone(&self, sequence: u64) -> bool {
        self.isolated.iter().any(|embed| embed.contains(&sequence))
    }

    pub(super) fn add(&mut self, key: FoldKey, sequence: u64) {
        let fold = self.folds.entry(key).or_insert(Fold::One(sequence));
        if let Some(head) = fold.first() {
            self.heads.remove(&head);
        }
        fold.insert(sequence);
        self.heads.extend(fold.first());
    }

    pub(super) fn remove(&mut self, key: FoldKey, sequence: u64) {
        let Some(embed) = self.isolated.iter_mut().find(|embed| embed.contains(&sequence)) else {
            return self.unfold(key, sequence);
        };
        embed.remove(&sequence);
        self.heads.remove(&sequence);
        self.heads.extend(embed.first());
        self.isolated.retain(|embed| !embed.is_empty());
    }

    /// From now on each of the embeds that these alerts make goes out alone, and
    /// nothing joins it.
    pub(super) fn isolate(&mut self, alerts: Vec<(u64, FoldKey)>) {
        let mut embeds: BTreeMap<u64, (FoldKey, BTreeSet<u64>)> = BTreeMap::new();
        for (sequence, key) in alerts {
            if self.is_alone(sequence) {
                continue;
            }
            let Some(head) = self.folds.get(&key).and_then(Fold::first) else { continue };
            embeds.entry(head).or_insert_with(|| (key, BTreeSet::new())).1.insert(sequence);
        }
        for (key, embed) in embeds.into_values() {
            embed.iter().for_each(|sequence| self.unfold(key, *sequence));
            self.heads.extend(embed.first());
            self.isolated.push(embed);
        }
    }

    fn unfold(&mut self, key: FoldKey, sequence: u64) {
        let Some(fold) = self.folds.remove(&key) else { return };
        self.heads.remove(&sequence);
        if let Some(left) = fold.without(sequence) {
            self.heads.extend(left.first());
            self.folds.insert(key, left);
        }
    }
}
