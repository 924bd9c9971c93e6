//! Events with their stack traces.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::id;

/// One frame of a stack trace.
#[derive(Debug, Clone)]
pub struct Frame {
    filename: String,
    function: String,
    line: u32,
    source: String,
    in_app: bool,
}

impl Frame {
    /// A frame of the application, with the line of code that ran.
    pub fn new(filename: &str, function: &str, line: u32, source: &str) -> Self {
        let (filename, function, source) = (filename.to_owned(), function.to_owned(), source.to_owned());
        Self { filename, function, line, source, in_app: true }
    }

    /// It belongs to a library.
    #[must_use]
    pub const fn library(mut self) -> Self {
        self.in_app = false;
        self
    }

    fn json(&self) -> Value {
        json!({
            "filename": self.filename, "absPath": format!("/srv/app/{}", self.filename),
            "module": self.filename.trim_end_matches(".py").replace('/', "."), "package": null,
            "platform": null, "instructionAddr": null, "symbolAddr": null,
            "function": self.function, "rawFunction": null, "symbol": null,
            "context": [[self.line, self.source]], "lineNo": self.line, "colNo": null,
            "inApp": self.in_app, "trust": null, "errors": null, "lock": null, "sourceLink": null, "vars": {},
        })
    }
}

/// One event of an issue.
#[derive(Debug, Clone)]
pub struct Event {
    pub(crate) id: String,
    pub(crate) environment: Option<String>,
    kind: String,
    value: String,
    frames: Vec<Frame>,
    at: DateTime<Utc>,
}

impl Event {
    /// An exception, such as `KeyError: 'customer_id'`, without frames.
    pub fn new(title: &str) -> Self {
        let (kind, value) = title.split_once(": ").unwrap_or(("Error", title));
        let (kind, value) = (kind.to_owned(), value.to_owned());
        Self { id: id::random_hex(), environment: None, kind, value, frames: Vec::new(), at: Utc::now() }
    }

    /// One more frame, called by the one before.
    #[must_use]
    pub fn frame(mut self, frame: Frame) -> Self {
        self.frames.push(frame);
        self
    }

    /// The environment in which it happened.
    #[must_use]
    pub fn environment(mut self, name: impl Into<String>) -> Self {
        self.environment = Some(name.into());
        self
    }

    /// Its id, 32 hexadecimal digits.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// As the API writes it: camelCase, the oldest frame first
    /// (`src/sentry/api/serializers/models/event.py`, `src/sentry/interfaces/stacktrace.py`).
    pub(crate) fn json(&self, group: u64, project: u64) -> Value {
        let frames: Vec<Value> = self.frames.iter().map(Frame::json).collect();
        let trace = json!({
            "frames": frames, "framesOmitted": null, "registers": null,
            "hasSystemFrames": self.frames.iter().any(|frame| !frame.in_app),
        });
        let exception = json!({
            "type": self.kind, "value": self.value, "module": null, "threadId": null,
            "mechanism": { "type": "generic", "handled": false },
            "stacktrace": trace, "rawStacktrace": null,
        });
        let environment = self.environment.iter().map(|name| json!({ "key": "environment", "value": name }));
        let level = [json!({ "key": "level", "value": "error" })];
        json!({
            "id": self.id, "eventID": self.id, "groupID": group.to_string(), "projectID": project.to_string(),
            "title": format!("{}: {}", self.kind, self.value), "message": "", "culprit": "", "location": null,
            "type": "error", "platform": "python", "dist": null, "release": null, "size": 4096,
            "metadata": { "type": self.kind, "value": self.value },
            "entries": [{ "type": "exception", "data": {
                "values": [exception], "excOmitted": null, "hasSystemFrames": trace["hasSystemFrames"],
            } }],
            "tags": environment.chain(level).collect::<Vec<_>>(),
            "user": { "id": "88121", "email": "customer@example.com", "ip_address": "203.0.113.7" },
            "contexts": {}, "context": {}, "sdk": null, "packages": {}, "errors": [],
            "dateCreated": id::time(self.at), "dateReceived": id::time(self.at),
        })
    }
}
