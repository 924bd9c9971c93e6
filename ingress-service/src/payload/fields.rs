//! What an alert keeps of a body's fields, and how much of each.

use serde_json::Value;
use shared::{
    alert::{MAX_TEXT, kept_text},
    text::{cut, printable},
};

/// How many characters are kept of a field besides the main ones. Sentry itself
/// keeps less of a tag, a release or a rule's name. It keeps an alert on the
/// bus at a few kB whatever is sent.
const MAX_LABEL: usize = 256;

/// A link that an alert keeps. One that was cut says so by its end: it is shown
/// and never linked, since half of a link leads elsewhere.
pub(super) fn kept_link(url: &str) -> Option<String> {
    let url = printable(url);
    let url = url.trim();
    (!url.is_empty()).then(|| cut(url, MAX_TEXT))
}

/// An id, which is never cut for want of room: so it has little to begin with.
/// Sentry's have 40 characters at most, beside the slug in a short id.
pub(super) fn id(text: &str) -> Option<String> {
    label(text).map(|id| if id.len() > MAX_LABEL { cut(&id, MAX_LABEL / 4) } else { id })
}

/// The string at the end of `path`, unless it is blank.
pub(super) fn text<'a>(value: &'a Value, path: &[&str]) -> Option<&'a str> {
    let text = path.iter().try_fold(value, |value, key| value.get(key))?.as_str()?.trim();
    (!text.is_empty()).then_some(text)
}

/// `text` as an alert keeps it beside its main fields.
pub(super) fn label(text: &str) -> Option<String> {
    kept_text(text).map(|text| cut(&text, MAX_LABEL))
}

/// The items of the array at the end of `path`; none where there is no array.
pub(super) fn items<'a>(value: &'a Value, path: &[&str]) -> &'a [Value] {
    path.iter()
        .try_fold(value, |value, key| value.get(key))
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default()
}
