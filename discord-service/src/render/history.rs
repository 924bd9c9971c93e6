//! What became of an issue after a message showed it.

use serde::{Deserialize, Serialize};
use shared::{Alert, text};

use super::{
    clean::clean,
    headline::{assigned, attributed, capitalised},
    parts::Field,
    size::cut,
    text::Text,
    time,
};

/// A line of words is cut to this, so that the smallest embed has room for two.
pub(super) const MAX_WORDS: usize = 72;
/// Kept of a name: more than a line ever shows.
const MAX_NAME: usize = 100;

/// What somebody, or Sentry, did to an issue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    pub(super) kind: String,
    /// Its place among the changes, in milliseconds since 1970.
    order_ms: i64,
    pub(super) at_ms: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    actor: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    assignee: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    how: Option<String>,
}

impl Change {
    /// The change that this alert tells; `None` where it tells anything else.
    pub fn of(alert: &Alert) -> Option<Self> {
        let kinds = [
            "issue.resolved",
            "issue.archived",
            "issue.assigned",
            "issue.unresolved",
            "metric_alert.resolved",
            "uptime.up",
        ];
        let kept = |name: &Option<String>| name.as_deref().map(|name| text::cut(name, MAX_NAME));
        let (actor, how) = (kept(&alert.details.actor), kept(&alert.details.how));
        // The time of an issue that is back is that of its last event, by the
        // clock of the event's sender. It does not order changes, and does not
        // say when somebody reopened it.
        let (order_ms, at_ms) = match (alert.kind.as_str(), &how) {
            ("issue.unresolved", Some(_)) => (alert.received_ms, alert.timestamp_ms),
            ("issue.unresolved", None) => (alert.received_ms, alert.received_ms),
            // Its order is among alerts that say that it began again.
            (kind, _) if is_recovery(kind) => (alert.received_ms, alert.timestamp_ms),
            _ => (alert.timestamp_ms, alert.timestamp_ms),
        };
        kinds.contains(&alert.kind.as_str()).then(|| Self {
            kind: alert.kind.clone(),
            order_ms,
            at_ms,
            actor,
            assignee: kept(&alert.details.assignee),
            how,
        })
    }

    /// Whether the issue came back by itself: news, and not only a change.
    pub fn is_return(&self) -> bool {
        self.kind == "issue.unresolved" && self.how.is_some()
    }

    /// Whether it is the end of what is no issue.
    pub(super) fn is_recovery(&self) -> bool {
        is_recovery(&self.kind)
    }

    /// Whether it is a recovery, and this alert says that it began again after that.
    pub(super) fn is_older_than(&self, alert: &Alert) -> bool {
        self.is_recovery() && self.order_ms < alert.received_ms
    }

    fn is_assignment(&self) -> bool {
        self.kind == "issue.assigned"
    }

    /// Who did what.
    pub(super) fn words(&self) -> String {
        let [actor, assignee, how] = [&self.actor, &self.assignee, &self.how].map(Option::as_deref);
        let said = match self.kind.as_str() {
            "issue.resolved" | "metric_alert.resolved" => "Resolved".to_owned(),
            "uptime.up" => "Up again".to_owned(),
            "issue.archived" => "Archived".to_owned(),
            "issue.assigned" => capitalised(&assigned(actor, assignee)),
            _ if self.is_return() => "Back".to_owned(),
            _ => "Reopened".to_owned(),
        };
        clean(&attributed(said, actor, how))
    }

    /// Who did what, and when, as inline code.
    fn line(&self) -> String {
        let words = cut(&self.words(), MAX_WORDS);
        match time::utc(self.at_ms) {
            Some(time) => format!("`{words} · {time}`"),
            None => format!("`{words}`"),
        }
    }
}

fn is_recovery(kind: &str) -> bool {
    matches!(kind, "metric_alert.resolved" | "uptime.up")
}

/// What is known about an issue beyond the alert in a message: its latest
/// state, its last assignee, and where it was shown before.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct History {
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Change>,
    #[serde(skip_serializing_if = "Option::is_none")]
    assigned: Option<Change>,
    /// The address of the first message about the issue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub earlier: Option<String>,
}

/// The colour that the latest state demands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mood {
    /// As the alert itself.
    Own,
    Resolved,
    Archived,
    /// Open again: the level's.
    Open,
}

impl History {
    /// Takes in a change; whether that makes a difference: one that is older
    /// than what is known of its kind makes none.
    pub fn add(&mut self, change: &Change) -> bool {
        let known = if change.is_assignment() { &mut self.assigned } else { &mut self.status };
        let newer = known.as_ref().is_none_or(|known| known != change && known.order_ms <= change.order_ms);
        if newer {
            *known = Some(change.clone());
        }
        newer
    }

    /// Whether the latest state is a recovery.
    pub(super) fn tells_recovery(&self) -> bool {
        self.status.as_ref().is_some_and(Change::is_recovery)
    }

    /// The latest state, where it is not the change that this alert tells.
    pub(super) fn status(&self, alert: &Alert) -> Option<&Change> {
        self.status.as_ref().filter(|change| Change::of(alert).as_ref() != Some(*change))
    }

    /// What became of the issue of this alert, without the change that it tells itself.
    pub(super) fn news(&self, alert: &Alert) -> impl Iterator<Item = &Change> {
        let own = Change::of(alert);
        let news = [&self.status, &self.assigned].into_iter().flatten();
        news.filter(move |change| own.as_ref() != Some(*change))
    }

    /// The fields for an embed that shows this alert, whose own change it tells itself.
    pub(super) fn fields(&self, alert: &Alert) -> Vec<Field> {
        let lines: Vec<_> = self.news(alert).map(|change| Text::whole(change.line())).collect();
        let lines = (!lines.is_empty()).then(|| Field::wide("Status (UTC)", lines));
        let earlier = self.earlier.as_deref().map(|url| Field::wide("First message", vec![Text::whole(url)]));
        lines.into_iter().chain(earlier).collect()
    }

    pub(super) fn mood(&self, alert: &Alert) -> Mood {
        match self.status(alert).map(|change| change.kind.as_str()) {
            None => Mood::Own,
            Some("issue.resolved" | "metric_alert.resolved" | "uptime.up") => Mood::Resolved,
            Some("issue.archived") => Mood::Archived,
            Some(_) => Mood::Open,
        }
    }
}
