//! Legacy webhooks: those without a `Sentry-Hook-Resource`.

use std::sync::LazyLock;

use jsonschema::Validator;
use serde_json::Value;
use shared::{
    Alert, ChannelId, UserId,
    alert::{MAX_ITEMS, kept_text},
};

use super::{
    event::{self, EVENT},
    fields::{id, items, kept_link, label, text},
    happening,
    parsed_alert::blank,
    prune::{SCALAR, Wanted, prune},
    schema::{PayloadError, schema, validate},
    title::{self, meaningful},
};

static SCHEMA: LazyLock<Validator> = LazyLock::new(|| schema(include_str!("../../schemas/legacy.json")));

/// Everything that the schema or the alert looks at.
pub(super) const BODY: &Wanted = &Wanted::object(&[
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

/// A legacy webhook's body that the schema allows: the part of it that matters.
#[derive(Debug, Clone)]
pub struct LegacyWebhook(Value);

impl LegacyWebhook {
    /// Reads a request's body.
    ///
    /// # Errors
    /// [`PayloadError`] when it is not JSON, or breaks `schemas/legacy.json`.
    pub fn parse(body: &[u8]) -> Result<Self, PayloadError> {
        Self::of(prune(body, BODY)?)
    }

    /// The same of the part of a body that matters.
    pub(super) fn of(body: Value) -> Result<Self, PayloadError> {
        validate(&SCHEMA, &body)?;
        Ok(Self(body))
    }

    /// The alert for this channel and user, received at `received_ms`
    /// milliseconds since 1970.
    pub fn alert(&self, channel: ChannelId, mention: Option<UserId>, received_ms: i64) -> Alert {
        let body = &self.0;
        let event = body.get("event").unwrap_or(&Value::Null);
        let said = |name| text(body, &[name]).and_then(kept_text);
        let alert = event::describe(event, blank("error", channel, mention, received_ms));
        let mut alert = Alert {
            project: said("project_slug").or_else(|| said("project")).unwrap_or_default(),
            project_name: said("project_name"),
            title: title::title(
                event,
                &title::Outside {
                    message: text(body, &["message"]),
                    culprit: text(body, &["culprit"]),
                    issue: text(body, &["id"]),
                },
            )
            .as_deref()
            .and_then(kept_text),
            logger: said("logger").or(alert.logger),
            level: said("level").or(alert.level),
            culprit: text(body, &["culprit"]).and_then(meaningful).and_then(kept_text).or(alert.culprit),
            message: [text(body, &["message"]), text(event, &["contexts", "feedback", "message"])]
                .into_iter()
                .find_map(|said| said.and_then(meaningful).and_then(kept_text)),
            url: text(body, &["url"]).and_then(kept_link),
            issue_id: text(body, &["id"]).and_then(id),
            rules: items(body, &["triggering_rules"])
                .iter()
                .filter_map(|rule| label(rule.as_str()?))
                .take(MAX_ITEMS)
                .collect(),
            ..alert
        };
        alert.details.evidence = happening::evidence(event, &alert);
        alert
    }
}

/// Prepares what the first request would otherwise wait for.
pub(super) fn prepare() {
    LazyLock::force(&SCHEMA);
}
