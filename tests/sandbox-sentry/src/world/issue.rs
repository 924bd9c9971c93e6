//! Issues and what happened to them.

use chrono::{DateTime, Duration, Utc};
use serde_json::{Value, json};
use strum::{EnumString, IntoStaticStr};

use super::{event::Event, token::Actor};
use crate::id;

/// The state of an issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Status {
    /// Open.
    Unresolved,
    /// Done.
    Resolved,
    /// What people know as archived.
    Ignored,
}

/// The finer state (`SUBSTATUS_UPDATE_CHOICES` in `src/sentry/types/group.py`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
#[expect(missing_docs, reason = "the names are Sentry's own")]
pub enum Substatus {
    New,
    Ongoing,
    Escalating,
    Regressed,
    ArchivedUntilEscalating,
    ArchivedUntilConditionMet,
    ArchivedForever,
}

impl Substatus {
    pub(crate) const fn fits(self, status: Status) -> bool {
        match self {
            Self::New | Self::Ongoing | Self::Escalating | Self::Regressed => {
                matches!(status, Status::Unresolved)
            }
            _ => matches!(status, Status::Ignored),
        }
    }
}

/// One entry of an issue's feed.
#[derive(Debug, Clone)]
pub struct Activity {
    pub(crate) id: u64,
    /// Such as `set_resolved`, `set_ignored`, `assigned` or `note`.
    pub kind: &'static str,
    /// Who did it.
    pub actor: Actor,
    /// What it says besides, such as `{"text": "…"}` of a note.
    pub data: Value,
    pub(crate) at: DateTime<Utc>,
}

/// A resolution that belongs to a release. It outlives a resolve without one, as `GroupResolution` does.
#[derive(Debug, Clone)]
pub(crate) struct Resolution {
    /// `inNextRelease` or `inRelease`, and its value.
    pub(crate) detail: (&'static str, Value),
    pub(crate) actor: Actor,
}

/// Until when an archived issue stays so.
#[derive(Debug, Clone)]
pub(crate) struct Snooze {
    pub(crate) until: Option<DateTime<Utc>>,
    pub(crate) count: Option<i64>,
    pub(crate) window: Option<i64>,
    pub(crate) user_count: Option<i64>,
    pub(crate) user_window: Option<i64>,
    pub(crate) actor: Actor,
}

impl Snooze {
    pub(crate) fn json(&self) -> Value {
        json!({
            "ignoreCount": self.count, "ignoreUntil": self.until.map(id::time),
            "ignoreUserCount": self.user_count, "ignoreUserWindow": self.user_window,
            "ignoreWindow": self.window,
        })
    }
}

/// The one who has the issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Assignee {
    User(u64),
    Team(u64),
}

/// An issue.
#[derive(Debug, Clone)]
pub struct Issue {
    pub(crate) id: u64,
    pub(crate) project: u64,
    /// The number behind the prefix in its short id.
    pub(crate) number: usize,
    pub(crate) title: String,
    pub(crate) culprit: String,
    pub(crate) level: String,
    pub(crate) count: u64,
    pub(crate) users: u64,
    pub(crate) first_seen: DateTime<Utc>,
    pub(crate) last_seen: DateTime<Utc>,
    pub(crate) status: Status,
    pub(crate) substatus: Option<Substatus>,
    pub(crate) resolution: Option<Resolution>,
    pub(crate) snooze: Option<Snooze>,
    pub(crate) assignee: Option<Assignee>,
    pub(crate) priority: String,
    pub(crate) priority_locked: Option<DateTime<Utc>>,
    pub(crate) has_seen: bool,
    pub(crate) activities: Vec<Activity>,
    pub(crate) events: Vec<Event>,
    pub(crate) merged_into: Option<u64>,
    pub(crate) deleted: bool,
}

impl Issue {
    /// A new, open issue with this title, such as `KeyError: 'customer_id'`. It has no events.
    pub fn new(title: impl Into<String>) -> Self {
        let now = Utc::now();
        Self {
            id: id::next(),
            project: 0,
            number: 0,
            title: title.into(),
            culprit: String::new(),
            level: "error".to_owned(),
            count: 1,
            users: 1,
            first_seen: now,
            last_seen: now,
            status: Status::Unresolved,
            substatus: Some(Substatus::New),
            resolution: None,
            snooze: None,
            assignee: None,
            priority: "high".to_owned(),
            priority_locked: None,
            has_seen: false,
            activities: Vec::new(),
            events: Vec::new(),
            merged_into: None,
            deleted: false,
        }
    }

    /// A known id in place of the next one.
    #[must_use]
    pub const fn with_id(mut self, id: u64) -> Self {
        self.id = id;
        self
    }

    /// Where it arose, such as `/api/v2/orders`.
    #[must_use]
    pub fn culprit(mut self, culprit: impl Into<String>) -> Self {
        self.culprit = culprit.into();
        self
    }

    /// Such as `warning`. The default is `error`.
    #[must_use]
    pub fn level(mut self, level: impl Into<String>) -> Self {
        self.level = level.into();
        self
    }

    /// Seen first so many days ago. After 7 days an issue is no longer new.
    #[must_use]
    pub fn days_old(mut self, days: i64) -> Self {
        self.first_seen -= Duration::days(days);
        self
    }

    /// One more event, later than the others.
    #[must_use]
    pub fn event(mut self, event: Event) -> Self {
        self.events.push(event);
        self
    }

    pub(crate) fn note(&mut self, kind: &'static str, actor: Actor, data: Value) -> &Activity {
        let at = Utc::now();
        self.activities.push(Activity { id: id::next(), kind, actor, data, at });
        &self.activities[self.activities.len() - 1]
    }
}
