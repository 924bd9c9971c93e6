//! The predecessor's documents. Old databases hold odd rows (numbers, lists,
//! names that are no ids): what cannot be understood is not seen, and not touched.

use std::{collections::BTreeMap, fmt::Display, str::FromStr};

use firestore::{
    FirestoreDocument,
    gcloud_sdk::google::firestore::v1::{Value, value::ValueType},
};
use shared::{ChannelId, UserId};

/// The field's text, if it holds one.
pub(super) fn text<'a>(document: &'a FirestoreDocument, field: &str) -> Option<&'a str> {
    as_text(document.fields.get(field)?)
}

/// The rows whose field is named by an id, as this service writes ids, and holds a text.
pub(super) fn rows<Id: FromStr + Display>(document: &FirestoreDocument) -> impl Iterator<Item = (Id, &str)> {
    document.fields.iter().filter_map(|(field, value)| Some((id(field)?, as_text(value)?)))
}

/// The id at the end of the document's path.
pub(super) fn id_of<Id: FromStr + Display>(document: &FirestoreDocument) -> Option<Id> {
    id(document.name.rsplit('/').next()?)
}

/// Whether the row is as the predecessor wrote it, which is also what a query finds.
pub(super) fn lists(document: &FirestoreDocument, channel: ChannelId) -> bool {
    let id = channel.to_string();
    text(document, &id) == Some(&id)
}

/// The projects that can be read from a document of users.
pub(super) fn readable(document: &FirestoreDocument) -> BTreeMap<UserId, String> {
    rows(document).map(|(user, slug)| (user, slug.to_owned())).collect()
}

/// As a text is stored.
pub(super) fn value(text: String) -> Value {
    Value { value_type: Some(ValueType::StringValue(text)) }
}

/// The field's name in masks and filters, where a name that begins with a digit is quoted.
pub(super) fn path(field: &str) -> String {
    format!("`{field}`")
}

fn as_text(value: &Value) -> Option<&str> {
    match &value.value_type {
        Some(ValueType::StringValue(text)) => Some(text),
        _ => None,
    }
}

/// Parses an id without leading zeros. With them we could not find the same
/// field again by the id.
fn id<Id: FromStr + Display>(text: &str) -> Option<Id> {
    let id: Id = text.parse().ok()?;
    (id.to_string() == text).then_some(id)
}
