//! Removes secrets and personal data from events for the operator's Sentry. Our
//! own texts hold none, but an error of a library might.

#[cfg(test)]
mod tests;

use std::{borrow::Cow, sync::LazyLock};

use regex::Regex;
use sentry::protocol::{Event, Value};

/// The text in place of a removed part.
const GONE: &str = "[removed]";

/// Patterns of what must be removed, each with the part before it that may
/// stay.
static SECRETS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    let patterns = [
        // Passwords and keys in URLs.
        r"(?P<kept>\w://)[^/\s@]+(?P<after>@)",
        // Tokens in queries and headers.
        r"(?i)(?P<kept>\b(?:token|secret|password|signature)[=:]\s*)[^&\s,;]+",
        r"(?P<kept>\b(?:Bot|Bearer) )[\w.\-]{16,}",
        // Mail addresses.
        r"(?P<kept>)[\w.+\-]+@[\w\-]+\.[\w.\-]+",
    ];
    patterns.into_iter().filter_map(|pattern| Regex::new(pattern).ok()).collect()
});

/// The text without secrets and mail addresses.
fn text(text: &str) -> String {
    let start = Cow::Borrowed(text);
    let replace = |text: Cow<'_, str>, pattern: &Regex| {
        Cow::Owned(pattern.replace_all(&text, format!("${{kept}}{GONE}${{after}}")).into_owned())
    };
    SECRETS.iter().fold(start, replace).into_owned()
}

fn value(value: &mut Value) {
    match value {
        Value::String(string) => *string = text(string),
        Value::Array(values) => values.iter_mut().for_each(self::value),
        Value::Object(values) => values.values_mut().for_each(self::value),
        _ => {}
    }
}

/// The event without secrets, mail addresses, and anything that an integration
/// noted about a request or a user.
pub(super) fn event(mut event: Event<'static>) -> Event<'static> {
    event.user = None;
    event.request = None;
    event.message = event.message.as_deref().map(text);
    if let Some(entry) = &mut event.logentry {
        entry.message = text(&entry.message);
        entry.params.iter_mut().for_each(value);
    }
    for exception in &mut event.exception.values {
        exception.value = exception.value.as_deref().map(text);
    }
    event.extra.values_mut().for_each(value);
    for context in event.contexts.values_mut() {
        if let sentry::protocol::Context::Other(fields) = context {
            fields.values_mut().for_each(value);
        }
    }
    event.breadcrumbs.values.clear();
    event
}
