//! `event_alert`: a rule fired on an event. `error`: every error event.

use serde_json::Value;
use shared::{Alert, alert::kept_text};

use super::{
    lenient::{Maybe, SentryId, read},
    resource::{ACTOR, PlatformResource},
};
use crate::payload::{
    event::{self, EVENT},
    fields::{id, items, kept_link, label, text},
    prune::{SCALAR, Wanted},
    title::{self, meaningful},
};

pub(super) const EVENT_ALERT: PlatformResource = PlatformResource {
    name: "event_alert",
    kinds: &[("triggered", "error")],
    schema: include_str!("../../../schemas/event_alert.json"),
    body: &Wanted::object(&[
        ("action", SCALAR),
        ("actor", ACTOR),
        (
            "data",
            &Wanted::object(&[
                ("event", EVENT),
                ("triggered_rule", SCALAR),
                ("issue_alert", &Wanted::object(&[("title", SCALAR)])),
            ]),
        ),
    ]),
    tell: |_, data, alert| {
        let rule = text(data, &["triggered_rule"]).or_else(|| text(data, &["issue_alert", "title"]));
        let rules = rule.and_then(label).into_iter().collect();
        Alert { rules, ..tell(data.get("event").unwrap_or(&Value::Null), alert) }
    },
};

pub(super) const ERROR: PlatformResource = PlatformResource {
    name: "error",
    kinds: &[("created", "error")],
    schema: include_str!("../../../schemas/error.json"),
    body: &Wanted::object(&[
        ("action", SCALAR),
        ("actor", ACTOR),
        ("data", &Wanted::object(&[("error", EVENT)])),
    ]),
    tell: |_, data, alert| tell(data.get("error").unwrap_or(&Value::Null), alert),
};

/// How much of an occurrence's evidence is kept.
const MAX_EVIDENCE: usize = 3;
/// Evidence that Sentry calls unimportant and somebody on call does not. Other
/// such may be personal: a feedback's address and name.
const KEPT_EVIDENCE: &str = "Last successful check-in";

fn tell(event: &Value, alert: Alert) -> Alert {
    let issue: Maybe<SentryId> = read(event.get("issue_id"));
    let issue = issue.get().and_then(|issue| id(&issue.0));
    let outside = title::Outside {
        message: text(event, &["message"]),
        culprit: text(event, &["culprit"]),
        issue: issue.as_deref(),
    };
    let title = title::title(event, &outside).as_deref().and_then(kept_text);
    let message = [&["message"][..], &["occurrence", "subtitle"], &["contexts", "feedback", "message"]]
        .iter()
        .find_map(|path| text(event, path).and_then(meaningful).and_then(kept_text));
    let mut alert = event::describe(event, alert);
    alert.project = project(event).unwrap_or(alert.project);
    alert.details.evidence = evidence(event, message.as_deref());
    // Who an event comes from is its user, and no business of a channel.
    alert.details.actor = None;
    Alert {
        title,
        message,
        level: alert.level.or_else(|| text(event, &["occurrence", "level"]).and_then(kept_text)),
        culprit: alert
            .culprit
            .or_else(|| text(event, &["occurrence", "culprit"]).and_then(meaningful).and_then(kept_text)),
        url: text(event, &["web_url"]).and_then(kept_link),
        issue_id: issue,
        ..alert
    }
}

/// The project's slug. `project` is a number; only the API's links name the slug.
fn project(event: &Value) -> Option<String> {
    let of_link = |link: &str| {
        let parts: Vec<_> = link.split('/').collect();
        let slug = parts.windows(4).find_map(|window| match window {
            ["projects", _, slug, "events"] => Some(*slug),
            _ => None,
        });
        slug.and_then(kept_text)
    };
    ["url", "web_url"]
        .into_iter()
        .find_map(|name| text(event, &[name]).and_then(of_link))
        .or_else(|| text(event, &["project_slug"]).and_then(kept_text))
        .or_else(|| text(event, &["project"]).and_then(kept_text))
}

fn evidence(event: &Value, message: Option<&str>) -> Vec<(String, String)> {
    let kept = items(event, &["occurrence", "evidenceDisplay"]).iter().filter_map(|item| {
        let (name, value) = (text(item, &["name"])?, text(item, &["value"])?);
        let important = item.get("important") == Some(&Value::Bool(true)) || name == KEPT_EVIDENCE;
        let news = message != Some(value);
        (important && news).then(|| Some((label(name)?, label(value)?))).flatten()
    });
    kept.take(MAX_EVIDENCE).collect()
}
