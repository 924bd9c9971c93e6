//! What Sentry sends: one module a family. Both become the same alert.

mod frame;
pub mod legacy;
pub(crate) mod platform;
mod prune;
mod repair;
mod timestamp;
mod title;

use serde_json::Value;
use shared::{alert::kept_text, text::cut};

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
