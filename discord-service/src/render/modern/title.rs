//! The title: what happened and where, in the first words.

use shared::Alert;

use crate::render::{Folded, clean::clean, headline::capitalised, history::Change};

/// The title of the embed. For an error it is the issue's own.
pub(super) fn title(folded: &Folded) -> String {
    let alert = &folded.latest;
    let subject = subject(alert);
    let changed = folded.history.status(alert).filter(|_| alert.kind != EVENT).map(state);
    let Some(what) = changed.map(str::to_owned).or_else(|| what(alert)) else { return subject };
    let what = clean(&what);
    match begins_with(&subject, &what, alert) {
        true => subject,
        false => format!("{what}: {subject}"),
    }
}

/// Whether the subject itself says what happened. An error may happen to begin with
/// the word for a change of its issue.
fn begins_with(subject: &str, what: &str, alert: &Alert) -> bool {
    let subject = subject.to_lowercase();
    let Some(rest) = subject.strip_prefix(&what.to_lowercase()) else { return false };
    let is_change = alert.kind.starts_with("issue.") || alert.kind.starts_with("activity_alert.");
    match rest.chars().next() {
        None | Some(':') => true,
        Some(next) => !is_change && !next.is_alphanumeric(),
    }
}

const EVENT: &str = "error";

/// Whether [`Details::how`](shared::alert::Details::how) is in the title.
pub(super) fn tells_how(alert: &Alert) -> bool {
    let how = alert.details.how.as_deref().unwrap_or_default();
    match alert.kind.as_str() {
        "issue.unresolved" => back(how).is_some(),
        "activity_alert.triggered" => true,
        _ => false,
    }
}

/// What it is about.
fn subject(alert: &Alert) -> String {
    let told = |text: &Option<String>| text.as_deref().map(clean).filter(|text| !text.is_empty());
    let culprit = told(&alert.culprit);
    let place = match alert.kind.as_str() {
        EVENT => {
            let place = culprit.clone().or_else(|| told(&alert.logger));
            place.map(|place| format!("Unlabeled event in {place}"))
        }
        _ => culprit.clone(),
    };
    let id = || alert.short_id.as_ref().or(alert.issue_id.as_ref()).map(|id| clean(&format!("Issue {id}")));
    let title = told(&alert.title).filter(|title| !is_number(alert, title)).or_else(|| told(&alert.message));
    let subject = title.or(place).or_else(id).unwrap_or_else(|| "Untitled alert".to_owned());
    match culprit {
        // Such titles only name the kind of problem.
        Some(place) if is_of(alert, &["performance", "profile", "replay"]) => {
            match subject.contains(&place) {
                true => subject,
                false => format!("{subject} in {place}"),
            }
        }
        _ => subject,
    }
}

/// Whether it names the event's issue by its number alone: there was no other title.
fn is_number(alert: &Alert, title: &str) -> bool {
    let number = title.strip_prefix("Issue ").filter(|_| alert.kind == EVENT);
    number.is_some() && number == alert.issue_id.as_deref()
}

fn is_of(alert: &Alert, categories: &[&str]) -> bool {
    alert.kind == EVENT && alert.details.category.as_deref().is_some_and(|own| categories.contains(&own))
}

/// What happened; `None` for an error.
fn what(alert: &Alert) -> Option<String> {
    let how = alert.details.how.as_deref();
    if let Some(said) = seer(&alert.kind, how.unwrap_or_default()) {
        return Some(said.to_owned());
    }
    let said = match (alert.kind.as_str(), how) {
        (EVENT, _) => match alert.details.category.as_deref()? {
            // Sentry's own older words for it.
            "cron" if alert.title.as_deref().is_some_and(|title| title.starts_with("Monitor failure")) => {
                return None;
            }
            "cron" => "Cron failure",
            "uptime" => "Downtime",
            "performance" => "Performance",
            "feedback" => "User feedback",
            "replay" => "Replay",
            "metric" => "Metric",
            "profile" => "Profile",
            _ => return None,
        },
        ("test", _) => "Test alert",
        ("issue.created", _) => "New",
        ("issue.resolved", _) => "Resolved",
        ("issue.archived", _) => "Archived",
        ("issue.assigned", _) => "Assigned",
        ("issue.unresolved", Some(how)) => back(how).unwrap_or("Back"),
        ("issue.unresolved", None) => "Reopened",
        ("issue.recurring", _) => "Recurring",
        ("issue.still_open", _) => "Still open",
        ("metric_alert.critical", _) => "Metric critical",
        ("metric_alert.warning", _) => "Metric warning",
        ("metric_alert.resolved", _) => "Metric resolved",
        ("metric_alert.open", _) => "Metric open",
        ("uptime.down", _) => "Down",
        ("uptime.up", _) => "Up again",
        ("comment.created", _) => "Comment",
        ("comment.updated", _) => "Comment changed",
        ("comment.deleted", _) => "Comment deleted",
        ("installation.created", _) => "Integration installed",
        ("installation.deleted", _) => "Integration removed",
        ("activity_alert.triggered", None) => "Activity",
        ("activity_alert.triggered", Some(how)) => return Some(capitalised(how)),
        ("preprod_artifact.size_analysis_completed", _) => "Size analysis",
        ("preprod_artifact.build_distribution_completed", None) => "Build ready",
        ("preprod_artifact.build_distribution_completed", Some(_)) => "Build distribution",
        // Of a newer ingress.
        (kind, _) => return Some(capitalised(&kind.replace(['.', '_'], " "))),
    };
    Some(said.to_owned())
}

/// What Seer did, told by itself or by an alert on the issue's activity.
fn seer(kind: &str, how: &str) -> Option<&'static str> {
    let step = match kind {
        "activity_alert.triggered" => how.strip_prefix("seer ")?.replace(' ', "_"),
        _ => kind.strip_prefix("seer.")?.to_owned(),
    };
    match step.as_str() {
        "root_cause_started" => Some("Seer looks for the root cause"),
        "root_cause_completed" => Some("Seer found a root cause"),
        "solution_started" => Some("Seer plans a solution"),
        "solution_completed" => Some("Seer has a solution"),
        "coding_started" => Some("Seer writes code"),
        "coding_completed" => Some("Seer has written code"),
        "pr_created" => Some("Seer opened a pull request"),
        _ => None,
    }
}

/// Why an issue is back, by the words of its sender.
fn back(how: &str) -> Option<&'static str> {
    match how {
        "regression" | "regressed" => Some("Regression"),
        "escalating" => Some("Escalating"),
        "unmuted" => Some("Unmuted"),
        _ => None,
    }
}

/// The state after this change.
fn state(change: &Change) -> &'static str {
    match change.kind.as_str() {
        "issue.resolved" => "Resolved",
        "issue.archived" => "Archived",
        "metric_alert.resolved" => "Metric resolved",
        "uptime.up" => "Up again",
        _ if change.is_return() => "Back",
        _ => "Reopened",
    }
}
