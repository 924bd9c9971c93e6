//! What the conditions of rules and mutes look at.

use shared::{Alert, alert::UNKNOWN_PROJECT};

use super::{Kind, Level};

/// What is known of an alert. No condition holds on what is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AlertFacts<'a> {
    /// The project's slug.
    pub project: Option<&'a str>,
    /// The environment.
    pub environment: Option<&'a str>,
    /// The level, if it is one of Sentry's.
    pub level: Option<Level>,
    /// What it is about.
    pub kind: Option<Kind>,
    /// The issue's number.
    pub issue: Option<&'a str>,
    /// The issue's short id.
    pub short_id: Option<&'a str>,
}

impl<'a> From<&'a Alert> for AlertFacts<'a> {
    fn from(alert: &'a Alert) -> Self {
        Self {
            project: Some(&*alert.project).filter(|slug| *slug != UNKNOWN_PROJECT),
            environment: alert.environment.as_deref(),
            level: alert.level.as_deref().and_then(|level| level.trim().parse().ok()),
            kind: Some(Kind::of(alert)),
            // Metric alerts and uptime checks have numbers of their own.
            issue: alert.issue_id.as_deref().filter(|_| !has_own_numbers(&alert.kind)),
            short_id: alert.short_id.as_deref(),
        }
    }
}

fn has_own_numbers(kind: &str) -> bool {
    matches!(resource(kind), "metric_alert" | "uptime")
}

/// The first part of an alert's kind: the resource of Sentry.
fn resource(kind: &str) -> &str {
    kind.split('.').next().unwrap_or_default()
}

impl Kind {
    /// What this alert is about. An issue of a cron monitor, say, counts as `cron`,
    /// whichever webhook tells of it.
    pub fn of(alert: &Alert) -> Self {
        let category = alert.details.category.as_deref();
        match resource(&alert.kind) {
            "error" => category.map_or(Self::Error, |category| of_category(category).unwrap_or(Self::Other)),
            "issue" | "activity_alert" => category.and_then(of_category).unwrap_or(Self::Issue),
            "comment" | "seer" => Self::Issue,
            "metric_alert" => Self::Metric,
            "uptime" => Self::Uptime,
            _ => Self::Other,
        }
    }
}

/// The kind of an issue of this category, which may name Sentry's type of issue in
/// brackets. `None` if that has no kind of its own.
fn of_category(category: &str) -> Option<Kind> {
    let (category, issue_type) = category.split_once(" (").unwrap_or((category, ""));
    match category {
        "cron" => Some(Kind::Cron),
        "uptime" => Some(Kind::Uptime),
        "outage" if issue_type.starts_with("uptime") => Some(Kind::Uptime),
        "outage" => Some(Kind::Cron),
        "metric" | "metric alert" => Some(Kind::Metric),
        "performance" | "profile" | "db query" | "http client" | "mobile" | "frontend" => {
            Some(Kind::Performance)
        }
        "feedback" => Some(Kind::Feedback),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
