//! A stored event, which both families of webhooks carry.

use serde_json::Value;
use shared::{
    Alert,
    alert::{Details, MAX_ITEMS, kept_text},
    telemetry,
};

use super::{
    failing_frame,
    fields::{id, items, label, text},
    happening,
    prune::{SCALAR, Wanted},
    timestamp,
    title::{exceptions, meaningful},
};

/// Everything of an event that an alert looks at.
pub(super) const EVENT: &Wanted = &Wanted::object(&[
    ("event_id", SCALAR),
    ("id", SCALAR),
    ("type", SCALAR),
    ("title", SCALAR),
    ("timestamp", SCALAR),
    ("datetime", SCALAR),
    ("message", SCALAR),
    ("level", SCALAR),
    ("logger", SCALAR),
    ("culprit", SCALAR),
    ("environment", SCALAR),
    ("release", SCALAR),
    ("tags", &Wanted::list(&Wanted::list(SCALAR))),
    ("metadata", &Wanted::object(&[("title", SCALAR), ("type", SCALAR), ("value", SCALAR)])),
    (
        "contexts",
        &Wanted::object(&[
            ("feedback", &Wanted::object(&[("message", SCALAR)])),
            ("monitor", happening::MONITOR),
            ("trace", &Wanted::object(&[("trace_id", SCALAR), ("op", SCALAR)])),
            ("profile", &Wanted::object(&[("profile_id", SCALAR)])),
        ]),
    ),
    ("spans", happening::SPANS),
    ("exception", EXCEPTIONS),
    ("sentry.interfaces.Exception", EXCEPTIONS),
    ("stacktrace", STACKTRACE),
    ("sentry.interfaces.Stacktrace", STACKTRACE),
    ("threads", &Wanted::object(&[("values", &Wanted::list(THREAD))])),
    ("project", SCALAR),
    ("project_slug", SCALAR),
    ("issue_id", SCALAR),
    ("url", SCALAR),
    ("web_url", SCALAR),
    ("occurrence", OCCURRENCE),
]);
const OCCURRENCE: &Wanted = &Wanted::object(&[
    ("issueTitle", SCALAR),
    ("subtitle", SCALAR),
    ("type", SCALAR),
    ("level", SCALAR),
    ("culprit", SCALAR),
    (
        "evidenceDisplay",
        &Wanted::list(&Wanted::object(&[("name", SCALAR), ("value", SCALAR), ("important", SCALAR)])),
    ),
]);
const EXCEPTIONS: &Wanted =
    &Wanted { fields: &[("values", &Wanted::list(EXCEPTION))], items: Some(EXCEPTION), also: None };
const EXCEPTION: &Wanted = &Wanted::object(&[
    ("type", SCALAR),
    ("value", SCALAR),
    ("mechanism", &Wanted::object(&[("is_exception_group", SCALAR)])),
    ("stacktrace", STACKTRACE),
]);
const THREAD: &Wanted =
    &Wanted::object(&[("crashed", SCALAR), ("current", SCALAR), ("stacktrace", STACKTRACE)]);
const STACKTRACE: &Wanted = &Wanted::object(&[("frames", &Wanted::list(FRAME))]);
const FRAME: &Wanted = &Wanted::object(&[
    ("filename", SCALAR),
    ("module", SCALAR),
    ("abs_path", SCALAR),
    ("package", SCALAR),
    ("function", SCALAR),
    ("lineno", SCALAR),
    ("context_line", SCALAR),
    ("in_app", SCALAR),
]);

/// The tags that an alert keeps. A list of what may leave, since any tag may
/// hold personal data; level, logger, environment and release are fields.
const KEPT_TAGS: [&str; 8] =
    ["transaction", "server_name", "browser", "os", "device", "runtime", "handled", "mechanism"];

/// The alert with what the event itself says. Its title, message, link and
/// project stand in other places of the two families.
pub(super) fn describe(event: &Value, alert: Alert) -> Alert {
    let tag = |name| tags(event).find(|(key, _)| *key == name).map(|(_, value)| value);
    let said = |name| text(event, &[name]).or_else(|| tag(name)).and_then(kept_text);
    let release = text(event, &["release"]).or_else(|| tag("sentry:release")).or_else(|| tag("release"));
    let details = Details {
        category: category(event).map(str::to_owned),
        causes: failing_frame::causes(event),
        ..alert.details
    };
    let mut stack = failing_frame::stack(event).into_iter();
    let happened = ["timestamp", "datetime"]
        .into_iter()
        .find_map(|name| event.get(name).and_then(timestamp::milliseconds))
        .unwrap_or(alert.received_ms);
    Alert {
        logger: said("logger"),
        level: said("level"),
        culprit: text(event, &["culprit"]).and_then(meaningful).and_then(kept_text),
        timestamp_ms: happened,
        event_id: text(event, &["event_id"]).or_else(|| text(event, &["id"])).and_then(id),
        environment: said("environment").as_deref().and_then(label),
        release: release.and_then(label),
        frame: stack.next(),
        callers: stack.collect(),
        tags: tags(event)
            .filter(|(name, _)| KEPT_TAGS.contains(name))
            .filter_map(|(name, value)| Some((name.to_owned(), label(value)?)))
            .take(MAX_ITEMS)
            .collect(),
        details,
        own: telemetry::is_own(release, tag("service")),
        ..alert
    }
}

/// What kind of issue the event is of, where it is no error. An occurrence says it
/// by its number; a legacy webhook has none, and its event shows it.
fn category(event: &Value) -> Option<&'static str> {
    let context = |name: &str| event.pointer(&format!("/contexts/{name}")).is_some_and(Value::is_object);
    let occurrence = event.pointer("/occurrence/type").and_then(Value::as_u64);
    match (occurrence, text(event, &["type"])) {
        // The numbers of Sentry's group types go by the thousand.
        (Some(number), _) => match number / 1_000 {
            1 => Some("performance"),
            2 => Some("profile"),
            4 => Some("cron"),
            5 => Some("replay"),
            6 => Some("feedback"),
            7 => Some("uptime"),
            8 => Some("metric"),
            _ => None,
        },
        (None, Some("feedback")) => Some("feedback"),
        (None, Some("transaction")) => Some("performance"),
        // Such events are made by Sentry itself, and have no exception.
        (None, kind) if kind == Some("generic") || exceptions(event).is_empty() => {
            let checked = tags(event).any(|(name, _)| name == "uptime_rule");
            let alone = kind == Some("generic") && context("trace") && !context("profile");
            match () {
                () if context("feedback") => Some("feedback"),
                () if context("monitor") => Some("cron"),
                () if checked || alone => Some("uptime"),
                () => None,
            }
        }
        _ => None,
    }
}

fn tags(event: &Value) -> impl Iterator<Item = (&str, &str)> {
    items(event, &["tags"]).iter().filter_map(|pair| match pair.as_array()?.as_slice() {
        [name, value] => Some((name.as_str()?, value.as_str()?)),
        _ => None,
    })
}
