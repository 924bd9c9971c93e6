//! What Sentry sends: one module a family. Both become the same alert.

mod event;
mod failing_frame;
pub mod legacy;
pub mod platform;
pub(crate) mod prune;
mod repair;
mod timestamp;
mod title;

use jsonschema::Validator;
use serde_json::Value;
use shared::{
    Alert, ChannelId, UserId,
    alert::{MAX_TEXT, UNKNOWN_PROJECT, kept_text},
    text::{cut, printable},
};

use legacy::LegacyWebhook;
pub(crate) use platform::state_subject::StateSubject;
use platform::{PlatformResource, PlatformWebhook};

/// What is shown beside the main fields is cut to so many characters: more than
/// Sentry itself keeps of a tag, a release or a rule's name. It keeps an alert
/// on the bus at a few kB whatever is sent.
const MAX_LABEL: usize = 256;

/// Why a body is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PayloadError {
    /// It is not JSON in UTF-8.
    #[error("body: not JSON")]
    NotJson,
    /// It is JSON that the family's schema does not allow: where the rule
    /// stands in the schema, and where in the body it is broken.
    #[error("body: breaks {rule} at {place:?}")]
    Schema {
        /// JSON pointer into the schema.
        rule: String,
        /// JSON pointer into the body.
        place: String,
    },
}

/// A webhook of either family, of a kind that is posted.
#[derive(Debug, Clone)]
pub(crate) enum ParsedWebhook {
    Legacy(LegacyWebhook),
    Platform(PlatformWebhook),
}

impl ParsedWebhook {
    /// Reads a request's body: a legacy one without a resource. `None` when
    /// nothing is known about the action that it names.
    pub(crate) fn parse(
        resource: Option<&'static PlatformResource>,
        body: &[u8],
    ) -> Result<Option<Self>, PayloadError> {
        Ok(match resource {
            None => Some(Self::Legacy(LegacyWebhook::parse(body)?)),
            Some(resource) => PlatformWebhook::parse(resource, body)?.map(Self::Platform),
        })
    }

    /// Of what the body describes the state, if of anything.
    pub(crate) fn state(&self) -> Option<StateSubject> {
        match self {
            Self::Legacy(_) => None,
            Self::Platform(webhook) => webhook.state(),
        }
    }

    /// The alert for this channel and user, received at `received_ms`
    /// milliseconds since 1970.
    pub(crate) fn alert(&self, channel: ChannelId, mention: Option<UserId>, received_ms: i64) -> Alert {
        match self {
            Self::Legacy(webhook) => webhook.alert(channel, mention, received_ms),
            Self::Platform(webhook) => webhook.alert(channel, mention, received_ms),
        }
    }
}

/// Prepares what the first request would otherwise wait for.
pub(crate) fn prepare() {
    legacy::prepare();
    platform::prepare();
}

/// An alert of which nothing is known but for whom it is and when it came.
fn blank(kind: &str, channel: ChannelId, mention: Option<UserId>, received_ms: i64) -> Alert {
    Alert { mention, ..Alert::new(kind, UNKNOWN_PROJECT, channel, received_ms) }
}

/// A schema of this package.
fn schema(file: &str) -> Validator {
    let schema = serde_json::from_str(file).expect("the file is JSON");
    jsonschema::validator_for(&schema).expect("the file is a schema")
}

fn validate(schema: &Validator, body: &Value) -> Result<(), PayloadError> {
    schema.validate(body).map_err(|error| PayloadError::Schema {
        rule: error.schema_path().to_string(),
        place: error.instance_path().to_string(),
    })
}

/// A link that an alert keeps. One that was cut says so by its end: it is shown
/// and never linked, since half of a link leads elsewhere.
fn kept_link(url: &str) -> Option<String> {
    let url = printable(url);
    let url = url.trim();
    (!url.is_empty()).then(|| cut(url, MAX_TEXT))
}

/// An id, which is never cut for want of room: so it has little to begin with.
/// Sentry's have 40 characters at most, beside the slug in a short id.
fn id(text: &str) -> Option<String> {
    label(text).map(|id| if id.len() > MAX_LABEL { cut(&id, MAX_LABEL / 4) } else { id })
}

/// The string at the end of `path`, unless it is blank.
fn text<'a>(value: &'a Value, path: &[&str]) -> Option<&'a str> {
    let text = path.iter().try_fold(value, |value, key| value.get(key))?.as_str()?.trim();
    (!text.is_empty()).then_some(text)
}

/// `text` as an alert keeps it beside its main fields.
fn label(text: &str) -> Option<String> {
    kept_text(text).map(|text| cut(&text, MAX_LABEL))
}

/// The items of the array at the end of `path`; none where there is no array.
fn items<'a>(value: &'a Value, path: &[&str]) -> &'a [Value] {
    path.iter()
        .try_fold(value, |value, key| value.get(key))
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default()
}
