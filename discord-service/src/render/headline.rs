//! What happened, in words: what Sentry tells beside events.

use shared::Alert;

/// The kind of an alert that is an event: its title says what happened.
const EVENT: &str = "error";

/// One sentence, of foreign words too: who did what, and how. None for an event.
pub(super) fn headline(alert: &Alert) -> Option<String> {
    if alert.kind == EVENT {
        return None;
    }
    let details = &alert.details;
    let how = details.how.as_deref();
    let said = match (alert.kind.as_str(), how) {
        ("issue.created", _) => "New issue".to_owned(),
        ("issue.resolved", _) => "Issue resolved".to_owned(),
        ("issue.archived", _) => "Issue archived".to_owned(),
        ("issue.assigned", _) => {
            format!("Issue {}", assigned(details.actor.as_deref(), details.assignee.as_deref()))
        }
        ("issue.unresolved", Some(_)) => "Issue is back".to_owned(),
        ("issue.unresolved", None) => "Issue reopened".to_owned(),
        ("metric_alert.critical", _) => "Metric alert is critical".to_owned(),
        ("metric_alert.warning", _) => "Metric alert warns".to_owned(),
        ("metric_alert.resolved", _) => "Metric alert resolved".to_owned(),
        ("metric_alert.open", _) => "Metric alert is open".to_owned(),
        ("comment.created", _) => "New comment".to_owned(),
        ("comment.updated", _) => "Comment changed".to_owned(),
        ("comment.deleted", _) => "Comment deleted".to_owned(),
        ("installation.created", _) => "Sentry integration installed".to_owned(),
        ("installation.deleted", _) => "Sentry integration removed".to_owned(),
        ("seer.root_cause_started", _) => "Seer is looking for the root cause".to_owned(),
        ("seer.root_cause_completed", _) => "Seer found a root cause".to_owned(),
        ("seer.solution_started", _) => "Seer is planning a solution".to_owned(),
        ("seer.solution_completed", _) => "Seer has a solution".to_owned(),
        ("seer.coding_started", _) => "Seer is writing code".to_owned(),
        ("seer.coding_completed", _) => "Seer has written code".to_owned(),
        ("seer.pr_created", _) => "Seer opened a pull request".to_owned(),
        ("activity_alert.triggered", _) => "Issue activity".to_owned(),
        ("preprod_artifact.size_analysis_completed", None) => "Size analysis completed".to_owned(),
        ("preprod_artifact.size_analysis_completed", Some(_)) => "Size analysis".to_owned(),
        ("preprod_artifact.build_distribution_completed", None) => "Build ready to distribute".to_owned(),
        ("preprod_artifact.build_distribution_completed", Some(_)) => "Build distribution".to_owned(),
        // Of a newer ingress.
        (kind, _) => kind.replace(['.', '_'], " "),
    };
    Some(attributed(said, details.actor.as_deref(), how))
}

/// What was done, with who did it and how.
pub(super) fn attributed(mut said: String, actor: Option<&str>, how: Option<&str>) -> String {
    if let Some(actor) = actor {
        said.push_str(&format!(" by {actor}"));
    }
    if let Some(how) = how {
        said.push_str(&format!(" ({how})"));
    }
    said
}

/// To whom the issue was assigned, in small letters.
pub(super) fn assigned(actor: Option<&str>, assignee: Option<&str>) -> String {
    match assignee {
        Some(_) if actor == assignee => "self-assigned".to_owned(),
        Some(assignee) => format!("assigned to {assignee}"),
        None => "assigned".to_owned(),
    }
}

/// The words, with a capital letter first.
pub(super) fn capitalised(words: &str) -> String {
    let mut rest = words.trim().chars();
    rest.next().map(|first| first.to_uppercase().chain(rest).collect()).unwrap_or_default()
}

/// How large the issue is.
pub(super) fn impact(alert: &Alert) -> Option<String> {
    let count = |number: u64, one: &str| match number {
        1 => format!("1 {one}"),
        _ => format!("{number} {one}s"),
    };
    let events = alert.details.events.map(|number| count(number, "event"));
    let users = alert.details.users.map(|number| count(number, "user"));
    let said: Vec<_> = events.into_iter().chain(users).collect();
    (!said.is_empty()).then(|| said.join(", "))
}
