//! Checking bodies against the JSON schemas of this package.

use jsonschema::Validator;
use serde_json::Value;

/// Why a body is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PayloadError {
    /// It is not JSON in UTF-8.
    #[error("body: not JSON")]
    NotJson,
    /// It is JSON that the schema of its family does not allow.
    #[error("body: breaks {rule} at {place:?}")]
    Schema {
        /// JSON pointer into the schema.
        rule: String,
        /// JSON pointer into the body.
        place: String,
    },
    /// GlitchTip or Bugsink sent it, but not as they are known to do.
    #[error(
        "body: sent by {sender}, but breaks {rule} at {place:?}: choose a kind of webhook that ADMINS.md names"
    )]
    OtherSender {
        /// The sender's name.
        sender: &'static str,
        /// JSON pointer into the schema.
        rule: String,
        /// JSON pointer into the body.
        place: String,
    },
}

impl PayloadError {
    /// The error where the sender is known.
    pub(super) fn of_sender(self, sender: &'static str) -> Self {
        match self {
            Self::Schema { rule, place } => Self::OtherSender { sender, rule, place },
            other => other,
        }
    }
}

/// A schema of this package.
pub(super) fn schema(file: &str) -> Validator {
    let schema = serde_json::from_str(file).expect("the file is JSON");
    jsonschema::validator_for(&schema).expect("the file is a schema")
}

pub(super) fn validate(schema: &Validator, body: &Value) -> Result<(), PayloadError> {
    schema.validate(body).map_err(|error| PayloadError::Schema {
        rule: error.schema_path().to_string(),
        place: error.instance_path().to_string(),
    })
}
