//! Webhooks of Sentry's Integration Platform: those with a `Sentry-Hook-Resource`.
//!
//! One module a resource, each with its actions, its schema, what is read of a
//! body, and what the alert says of it. A module reads only the fields that it
//! names. So the grant code of an installation, and the link that installs a
//! build, cannot leave.
//!
//! An `event_alert` and an `error` are events, like a legacy webhook. All three
//! become alerts of the kind `error` with the same issue id, so that one
//! issue's events fold in any case.

mod activity_alert;
mod comment;
mod event_alert;
mod installation;
mod issue;
mod lenient;
mod metric_alert;
mod preprod_artifact;
mod resource;
mod seer;

use std::sync::LazyLock;

use jsonschema::Validator;
use serde_json::Value;
use shared::{Alert, ChannelId, UserId};

use super::{
    parsed_alert::blank,
    prune::prune,
    schema::{PayloadError, schema, validate},
    state_subject::StateSubject,
};
use lenient::{Actor, Maybe};
pub use resource::PlatformResource;

/// The header that tells them from legacy webhooks.
pub(crate) const RESOURCE: &str = "Sentry-Hook-Resource";

/// Every resource that is known.
pub static RESOURCES: [PlatformResource; 9] = [
    event_alert::EVENT_ALERT,
    event_alert::ERROR,
    issue::RESOURCE,
    metric_alert::RESOURCE,
    comment::RESOURCE,
    installation::RESOURCE,
    seer::RESOURCE,
    activity_alert::RESOURCE,
    preprod_artifact::RESOURCE,
];

static SCHEMAS: LazyLock<Vec<(&'static str, Validator)>> =
    LazyLock::new(|| RESOURCES.iter().map(|resource| (resource.name, schema(resource.schema))).collect());

/// The resource that the header names.
pub fn known(name: &[u8]) -> Option<&'static PlatformResource> {
    RESOURCES.iter().find(|resource| resource.name.as_bytes() == name.trim_ascii())
}

/// Prepares what the first request would otherwise wait for.
pub(super) fn prepare() {
    LazyLock::force(&SCHEMAS);
}

/// A webhook of a known kind that its resource's schema allows: the part of it
/// that matters.
#[derive(Debug, Clone)]
pub struct PlatformWebhook {
    resource: &'static PlatformResource,
    action: &'static str,
    kind: &'static str,
    body: Value,
}

impl PlatformWebhook {
    /// Reads a request's body. `None` when the resource has no such action.
    ///
    /// # Errors
    /// [`PayloadError`] when it is not JSON, names no action, or breaks the
    /// resource's schema.
    pub fn parse(resource: &'static PlatformResource, body: &[u8]) -> Result<Option<Self>, PayloadError> {
        let body = prune(body, resource.body)?;
        let named = body.get("action").and_then(Value::as_str);
        let known = named.map(|named| resource.kinds.iter().find(|(action, _)| *action == named));
        // The schema knows nothing of what comes with an action that nobody knows.
        if known == Some(None) {
            return Ok(None);
        }
        let schemas = SCHEMAS.iter().filter(|(name, _)| *name == resource.name);
        schemas.map(|(_, schema)| schema).try_for_each(|schema| validate(schema, &body))?;
        Ok(known.flatten().map(|&(action, kind)| Self { resource, action, kind, body }))
    }

    /// The name of its resource.
    pub(crate) const fn resource(&self) -> &'static str {
        self.resource.name
    }

    /// Of what the body describes the state, if of anything.
    pub(crate) fn state(&self) -> Option<StateSubject> {
        StateSubject::of(self.resource.name, self.action, self.body.get("data")?)
    }

    /// The alert for this channel and user, received at `received_ms`
    /// milliseconds since 1970.
    pub fn alert(&self, channel: ChannelId, mention: Option<UserId>, received_ms: i64) -> Alert {
        let mut alert = blank(self.kind, channel, mention, received_ms);
        let actor: Maybe<Actor> = lenient::read(self.body.get("actor"));
        alert.details.actor = actor.get().and_then(Actor::person);
        (self.resource.tell)(self.action, self.body.get("data").unwrap_or(&Value::Null), alert)
    }
}
