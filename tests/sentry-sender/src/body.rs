//! Makes bodies of legacy webhooks: as many issues as a test wants, and sizes
//! that are too large for files.

use std::io;

use serde::Serialize as _;
use serde_json::{Value, json, ser::Formatter};

/// A legacy webhook's body about an exception, written as Sentry writes it:
/// pure ASCII, everything else escaped.
///
/// ```
/// let body = sentry_sender::body::Exception::new("TypeError: x is undefined").issue("17").json();
/// assert!(body.is_ascii());
/// ```
#[derive(Debug, Clone)]
pub struct Exception {
    title: String,
    issue: String,
    project: String,
    level: String,
    message: String,
    url: Option<String>,
    timestamp: f64,
    size: usize,
}

impl Exception {
    /// An exception with this title, `Type: value`.
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            issue: "6100000001".to_owned(),
            project: "backend-api".to_owned(),
            level: "error".to_owned(),
            message: String::new(),
            url: None,
            timestamp: 1_763_905_862.123_456,
            size: 0,
        }
    }

    /// The issue's id. Alerts of one issue are folded when they wait.
    #[must_use]
    pub fn issue(mut self, id: impl Into<String>) -> Self {
        self.issue = id.into();
        self
    }

    /// The project's slug.
    #[must_use]
    pub fn project(mut self, slug: impl Into<String>) -> Self {
        self.project = slug.into();
        self
    }

    /// The level.
    #[must_use]
    pub fn level(mut self, level: impl Into<String>) -> Self {
        self.level = level.into();
        self
    }

    /// The message; Sentry sends an empty one with ordinary exceptions.
    #[must_use]
    pub fn message(mut self, message: impl Into<String>) -> Self {
        self.message = message.into();
        self
    }

    /// The link to the issue, instead of one that belongs to the issue's id.
    #[must_use]
    pub fn url(mut self, url: impl Into<String>) -> Self {
        self.url = Some(url.into());
        self
    }

    /// When it happened, in seconds since 1970.
    #[must_use]
    pub const fn timestamp(mut self, seconds: f64) -> Self {
        self.timestamp = seconds;
        self
    }

    /// Adds stack frames until the body has at least this many bytes, and at
    /// most a frame more. A crash of a React Native app has 335,000.
    #[must_use]
    pub const fn size(mut self, bytes: usize) -> Self {
        self.size = bytes;
        self
    }

    /// The body.
    pub fn json(&self) -> Vec<u8> {
        let smallest = to_ascii(&self.value(1));
        let frame_size = to_ascii(&self.value(2)).len() - smallest.len();
        if smallest.len() >= self.size {
            return smallest;
        }
        to_ascii(&self.value(1 + (self.size - smallest.len()).div_ceil(frame_size)))
    }

    fn value(&self, frames: usize) -> Value {
        let (kind, text) = self.title.split_once(": ").unwrap_or(("Error", &self.title));
        let url = self.url.clone().unwrap_or_else(|| {
            format!("https://acme.sentry.io/issues/{}/?referrer=webhooks_plugin", self.issue)
        });
        json!({
            "id": self.issue,
            "project": self.project,
            "project_name": self.project,
            "project_slug": self.project,
            "logger": null,
            "level": self.level,
            "culprit": "app/index.bundle in render",
            "message": self.message,
            "url": url,
            "triggering_rules": ["Send a notification for high priority issues"],
            "event": {
                "event_id": "5f0c9a1e4b7d4e0c8a3b2d1f6e5c4b3a",
                "title": self.title,
                "level": self.level,
                "platform": "javascript",
                "timestamp": self.timestamp,
                "environment": "production",
                "release": "com.example.app@4.2.0+318",
                "tags": [["environment", "production"], ["level", self.level]],
                "metadata": {"type": kind, "value": text},
                "user": {"id": "88121", "ip_address": "203.0.113.7"},
                "exception": {"values": [{
                    "type": kind,
                    "value": text,
                    "stacktrace": {"frames": (0..frames).map(frame).collect::<Vec<_>>()},
                }]},
            },
        })
    }
}

/// One stack frame. Zero-padded numbers keep every frame the same size.
fn frame(number: usize) -> Value {
    json!({
        "function": format!("render_{number:06}"),
        "filename": "app:///index.android.bundle",
        "abs_path": "app:///index.android.bundle",
        "lineno": 100_000 + number % 900_000,
        "colno": 17,
        "pre_context": ["function render(props) {", "  const rows = props.rows;"],
        "context_line": "  return rows.map(row => <Row key={row.id} {...row} />);",
        "post_context": ["}", "export default render;"],
        "in_app": true,
    })
}

/// JSON in pure ASCII, as Python's `json.dumps` writes it.
pub fn to_ascii(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, AsciiFormatter);
    value.serialize(&mut serializer).expect("a Value always serializes");
    bytes
}

struct AsciiFormatter;

impl Formatter for AsciiFormatter {
    fn write_string_fragment<W: io::Write + ?Sized>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        for character in fragment.chars() {
            if character.is_ascii() {
                write!(writer, "{character}")?;
            } else {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    write!(writer, "\\u{unit:04x}")?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_has_the_size_asked_for() {
        for size in [0, 20_000, 335_000, 1_000_000] {
            let body = Exception::new("TypeError: x").size(size).json();
            assert!((size..size + 4_000).contains(&body.len()), "{size}: {}", body.len());
        }
    }

    #[test]
    fn a_body_is_ascii_and_says_what_was_asked() {
        let body = Exception::new("Ошибка: 💥").issue("7").message("é").json();
        assert!(body.is_ascii());
        assert!(String::from_utf8_lossy(&body).contains(r"\ud83d\udca5"));
        let value: Value = serde_json::from_slice(&body).expect("JSON");
        assert_eq!(value["event"]["title"], "Ошибка: 💥");
        assert_eq!(value["event"]["metadata"]["value"], "💥");
        assert_eq!(value["message"], "é");
        assert_eq!(value["id"], "7");
    }
}
