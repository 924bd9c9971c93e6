//! The title of an issue. Sentry fills in placeholders where an event has no
//! text of its own, and versions before 9.1 send no title at all.

#[cfg(test)]
mod tests;

use serde_json::Value;

use super::fields::{items, text};

/// What Sentry shows for want of anything to say.
const PLACEHOLDERS: [&str; 3] = ["<untitled>", "<unlabeled event>", "<unknown>"];

/// `text`, unless it is blank or a placeholder.
pub(super) fn meaningful(text: &str) -> Option<&str> {
    let text = text.trim();
    (!text.is_empty() && !PLACEHOLDERS.iter().any(|placeholder| text.eq_ignore_ascii_case(placeholder)))
        .then_some(text)
}

/// Parts of a body beside its event that can serve as the title.
#[derive(Debug, Default)]
pub(super) struct Outside<'a> {
    pub(super) message: Option<&'a str>,
    pub(super) culprit: Option<&'a str>,
    pub(super) issue: Option<&'a str>,
}

/// The best title that an event has.
pub(super) fn title(event: &Value, outside: &Outside<'_>) -> Option<String> {
    let at = |path: &[&str]| text(event, path).and_then(meaningful).map(str::to_owned);
    at(&["occurrence", "issueTitle"])
        .or_else(|| at(&["title"]))
        .or_else(|| at(&["metadata", "title"]))
        .or_else(|| raised(event))
        .or_else(|| at(&["contexts", "feedback", "message"]))
        .or_else(|| at(&["contexts", "monitor", "slug"]))
        .or_else(|| outside.message.and_then(meaningful).map(|message| first_line(message).to_owned()))
        .or_else(|| outside.culprit.and_then(meaningful).map(str::to_owned))
        .or_else(|| outside.issue.map(|id| format!("Issue {id}")))
}

/// The last exception that says anything.
fn raised(event: &Value) -> Option<String> {
    event.get("metadata").into_iter().chain(exceptions(event).iter().rev()).find_map(exception)
}

/// `Type: first line of the value`, as Sentry itself titles an exception.
pub(super) fn exception(exception: &Value) -> Option<String> {
    let of = |key| text(exception, &[key]).and_then(meaningful);
    match (of("type"), of("value").map(first_line)) {
        (Some(kind), Some(value)) => Some(format!("{kind}: {value}")),
        (found, None) | (None, found) => found.map(str::to_owned),
    }
}

/// The exceptions of an event, the one raised last at the end. Versions differ
/// in the name and in whether the list is wrapped.
pub(super) fn exceptions(event: &Value) -> &[Value] {
    ["exception", "sentry.interfaces.Exception"]
        .into_iter()
        .flat_map(|name| [items(event, &[name, "values"]), items(event, &[name])])
        .find(|found| !found.is_empty())
        .unwrap_or_default()
}

pub(super) fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or(text).trim_end()
}
