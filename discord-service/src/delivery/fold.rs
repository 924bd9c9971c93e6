//! Which alerts share an embed.

use std::collections::BTreeSet;

use sha2::{Digest as _, Sha256};
use shared::{Alert, alert::Ping};

use super::issue::IssueKey;
use crate::render::Change;

/// How an alert is shown in Discord.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// By a post.
    News,
    /// By an edit of the message about its issue, if one is known.
    Change,
    /// By both: the issue is back.
    Return,
}

impl Class {
    pub(super) fn of(alert: &Alert, issue: Option<IssueKey>) -> Self {
        match Change::of(alert).filter(|_| issue.is_some()) {
            None => Self::News,
            Some(change) if change.is_return() => Self::Return,
            Some(_) => Self::Change,
        }
    }
}

/// Alerts that share an embed have the same key: issue, mentions, level and kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct FoldKey([u8; 16]);

impl FoldKey {
    pub(super) fn of(alert: &Alert, class: Class) -> Self {
        // Without an issue id: everything by which a reader would recognise the
        // issue.
        let issue = match &alert.issue_id {
            Some(id) => ["id", id.as_str(), ""],
            None => [
                "text",
                alert.title.as_deref().unwrap_or_default(),
                alert.culprit.as_deref().unwrap_or_default(),
            ],
        };
        let mut hash = Sha256::new();
        let mention = alert.mention.map(|user| user.to_string()).unwrap_or_default();
        let ping = match alert.routing.ping {
            None => String::new(),
            Some(Ping::Role(role)) => format!("role {role}"),
            Some(Ping::User(user)) => format!("user {user}"),
        };
        let level = alert.level.as_deref().unwrap_or_default();
        let back = if class == Class::Return { "back" } else { "" };
        let others = [alert.project.as_str(), &mention, &ping, level, &alert.kind, back];
        for part in issue.into_iter().chain(others) {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        // Two organizations may have an issue with the same number.
        let organization = IssueKey::of(alert).and_then(|issue| issue.organization);
        hash.update(organization.unwrap_or_default().to_le_bytes());
        let digest = hash.finalize();
        let mut key = [0; 16];
        key.copy_from_slice(&digest[..16]);
        Self(key)
    }
}

/// The sequences of the alerts with one fold key: most have no other.
#[derive(Debug, PartialEq, Eq)]
#[expect(clippy::box_collection, reason = "there may be a million, and most are of one alert")]
pub(super) enum Fold {
    One(u64),
    Several(Box<BTreeSet<u64>>),
}

impl Fold {
    pub(super) fn first(&self) -> Option<u64> {
        match self {
            Self::One(sequence) => Some(*sequence),
            Self::Several(sequences) => sequences.first().copied(),
        }
    }

    pub(super) fn insert(&mut self, sequence: u64) {
        match self {
            Self::One(one) if *one == sequence => {}
            Self::One(one) => *self = Self::Several(Box::new(BTreeSet::from([*one, sequence]))),
            Self::Several(sequences) => drop(sequences.insert(sequence)),
        }
    }

    /// The rest without this sequence.
    pub(super) fn without(self, sequence: u64) -> Option<Self> {
        match self {
            Self::One(one) => (one != sequence).then_some(self),
            Self::Several(mut sequences) => {
                sequences.remove(&sequence);
                (!sequences.is_empty()).then_some(Self::Several(sequences))
            }
        }
    }

    pub(super) fn sequences(&self) -> BTreeSet<u64> {
        match self {
            Self::One(sequence) => BTreeSet::from([*sequence]),
            Self::Several(sequences) => (**sequences).clone(),
        }
    }
}
