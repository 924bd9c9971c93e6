//! Legacy webhooks: those without a `Sentry-Hook-Resource`.

use std::sync::LazyLock;

use jsonschema::Validator;
use serde_json::Value;
use shared::{
    Alert, ChannelId, UserId,
    alert::{MAX_ITEMS, MAX_TEXT, Trust, VERSION, kept_text},
};

use super::{
    PayloadError, frame, items, label,
    prune::{SCALAR, Wanted, prune},
    text, timestamp,
    title::{self, meaningful},
};

static SCHEMA: LazyLock<Validator> = LazyLock::new(|| {
    let schema = serde_json::from_str(include_str!("../../schemas/legacy.json")).expect("the file is JSON");
    jsonschema::validator_for(&schema).expect("the file is a schema")
});

/// Everything that the schema or the alert looks at.
const BODY: &Wanted = &Wanted::object(&[
    ("id", SCALAR),
    ("project", SCALAR),
    ("project_name", SCALAR),
    ("project_slug", SCALAR),
    ("url", SCALAR),
    ("message", SCALAR),
    ("logger", SCALAR),
    ("level", SCALAR),
    ("culprit", SCALAR),
    ("triggering_rules", &Wanted::list(SCALAR)),
    ("event", EVENT),
]);
const EVENT: &Wanted = &Wanted::object(&[
    ("event_id", SCALAR),
    ("id", SCALAR),
    ("title", SCALAR),
    ("timestamp", SCALAR),
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
            ("monitor", &Wanted::object(&[("slug", SCALAR)])),
        ]),
    ),
    ("exception", EXCEPTIONS),
    ("sentry.interfaces.Exception", EXCEPTIONS),
    ("stacktrace", STACKTRACE),
    ("sentry.interfaces.Stacktrace", STACKTRACE),
    ("threads", &Wanted::object(&[("values", &Wanted::list(THREAD))])),
]);
const EXCEPTIONS: &Wanted =
    &Wanted { fields: &[("values", &Wanted::list(EXCEPTION))], items: Some(EXCEPTION) };
const EXCEPTION: &Wanted =
    &Wanted::object(&[("type", SCALAR), ("value", SCALAR), ("stacktrace", STACKTRACE)]);
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

/// A legacy webhook's body that the schema allows: the part of it that matters.
#[derive(Debug, Clone)]
pub struct LegacyWebhook(Value);

impl LegacyWebhook {
    /// Reads a request's body.
    ///
    /// # Errors
    /// [`PayloadError`] when it is not JSON, or breaks `schemas/legacy.json`.
    pub fn parse(body: &[u8]) -> Result<Self, PayloadError> {
        let body = prune(body, BODY)?;
        SCHEMA.validate(&body).map_err(|error| PayloadError::Schema {
            rule: error.schema_path().to_string(),
            place: error.instance_path().to_string(),
        })?;
        Ok(Self(body))
    }

    /// The alert for this channel and user, received at `received_ms`
    /// milliseconds since 1970.
    pub fn alert(&self, channel: ChannelId, mention: Option<UserId>, received_ms: i64) -> Alert {
        let body = &self.0;
        let event = body.get("event").unwrap_or(&Value::Null);
        let tag = |name| tags(event).find(|(key, _)| *key == name).map(|(_, value)| value);
        let field = |name| text(body, &[name]).or_else(|| text(event, &[name]));
        Alert {
            v: VERSION,
            channel,
            mention,
            trust: Trust::None,
            kind: "error".to_owned(),
            project: text(body, &["project_slug"])
                .or_else(|| text(body, &["project"]))
                .and_then(kept_text)
                .unwrap_or_default(),
            project_name: text(body, &["project_name"]).and_then(kept_text),
            title: title::title(body).as_deref().and_then(kept_text),
            logger: field("logger").or_else(|| tag("logger")).and_then(kept_text),
            level: field("level").or_else(|| tag("level")).and_then(kept_text),
            culprit: field("culprit").and_then(meaningful).and_then(kept_text),
            message: text(body, &["message"]).and_then(meaningful).and_then(kept_text),
            // Half a link leads elsewhere.
            url: text(body, &["url"]).filter(|url| url.chars().count() <= MAX_TEXT).map(str::to_owned),
            timestamp_ms: event.get("timestamp").and_then(timestamp::milliseconds).unwrap_or(received_ms),
            received_ms,
            event_id: text(event, &["event_id"]).or_else(|| text(event, &["id"])).and_then(label),
            issue_id: text(body, &["id"]).and_then(label),
            short_id: None,
            rules: items(body, &["triggering_rules"])
                .iter()
                .filter_map(|rule| label(rule.as_str()?))
                .take(MAX_ITEMS)
                .collect(),
            environment: text(event, &["environment"]).or_else(|| tag("environment")).and_then(label),
            release: text(event, &["release"])
                .or_else(|| tag("sentry:release"))
                .or_else(|| tag("release"))
                .and_then(label),
            frame: frame::failing(event),
            tags: tags(event)
                .filter(|(name, _)| KEPT_TAGS.contains(name))
                .filter_map(|(name, value)| Some((name.to_owned(), label(value)?)))
                .take(MAX_ITEMS)
                .collect(),
        }
    }
}

/// Prepares what the first request would otherwise wait for.
pub(crate) fn prepare() {
    LazyLock::force(&SCHEMA);
}

fn tags(event: &Value) -> impl Iterator<Item = (&str, &str)> {
    items(event, &["tags"]).iter().filter_map(|pair| match pair.as_array()?.as_slice() {
        [name, value] => Some((name.as_str()?, value.as_str()?)),
        _ => None,
    })
}
