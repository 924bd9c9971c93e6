//! Bugsink: its own webhook, and those in Slack's and in Discord's shape, which
//! say much less.

mod chat;
#[cfg(test)]
mod tests;

use serde_json::Value;
use shared::alert::{Sender, kept_text};

use super::{
    link,
    shape::{Report, Reports, Shape},
    slug::slug,
};
use crate::payload::{
    fields::{id, kept_link, label, text},
    timestamp,
    title::meaningful,
};
pub(super) use chat::{DISCORD, SLACK};

/// The title of an issue that has none.
const UNTITLED: &str = "Issue";

/// Why Bugsink sends an alert, and the kind of that alert. The three schemas
/// list the reasons too: a body with any other reason is refused.
const REASONS: [(&str, &str); 6] = [
    ("NEW", "issue.created"),
    ("REGRESSED", "issue.unresolved"),
    ("UNMUTED", "issue.unresolved"),
    ("RECURRING", "issue.recurring"),
    ("STILL-OPEN", "issue.still_open"),
    ("TEST", "test"),
];

pub(super) const CUSTOM: Shape = Shape {
    sender: Sender::Bugsink,
    schema: include_str!("../../../../schemas/bugsink.json"),
    is: |body| {
        let marks = ["alert_reason", "friendly_id", "digested_event_count"];
        marks.iter().filter(|mark| body.get(mark).is_some()).count() > 1
    },
    read: |body| {
        let said = |name| text(body, &[name]).and_then(meaningful);
        let reason = said("alert_reason").unwrap_or_default();
        let mut report = report(reason, said("unmute_reason"), said("project_name"));
        let url = said("url");
        let alert = &mut report.alert;
        let title = said("title").or(said("calculated_value")).or(said("transaction"));
        alert.title = title.and_then(kept_text).or_else(|| Some(UNTITLED.to_owned()));
        let news = |value: &&str| alert.title.as_ref().is_none_or(|title| !title.contains(*value));
        alert.message = said("calculated_value").filter(news).and_then(kept_text);
        alert.culprit = said("transaction").and_then(kept_text);
        alert.url = url.and_then(kept_link);
        alert.issue_id = said("id").and_then(id).or_else(|| url.and_then(link::uuid));
        alert.short_id = said("friendly_id").and_then(id);
        alert.details.events = body.get("digested_event_count").and_then(Value::as_u64);
        alert.details.since_ms = body.get("first_seen").and_then(timestamp::milliseconds);
        report.happened_ms = body.get("last_seen").and_then(timestamp::milliseconds);
        Reports { first: vec![report], total: 1 }
    },
};

/// What every shape says: the reason, more about it in words, and the project's name.
fn report(reason: &str, note: Option<&str>, project: Option<&str>) -> Report {
    let kind = REASONS.iter().find(|(known, _)| *known == reason).map(|(_, kind)| *kind);
    let mut report = Report::new(kind.unwrap_or("error"));
    let alert = &mut report.alert;
    if let Some(slug) = project.and_then(slug) {
        alert.project = slug;
    }
    alert.project_name = project.and_then(kept_text);
    alert.details.how = note.and_then(label).or_else(|| match reason {
        // It came back by itself, so it is news.
        "REGRESSED" | "UNMUTED" => Some(reason.to_lowercase()),
        _ => None,
    });
    report
}
