//! Answers from in front of Discord's API: from its edge, or from a proxy
//! between the bot and Discord. They say nothing about the request.

use serde_json::{Value, json};

/// An answer with any status, body, content type and headers. It has none of
/// the API's rate limit headers, and takes nothing from a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EdgeAnswer {
    pub(crate) status: u16,
    pub(crate) content_type: Option<String>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl EdgeAnswer {
    /// This body, with no content type.
    pub fn new(status: u16, body: impl Into<String>) -> Self {
        Self { status, content_type: None, headers: Vec::new(), body: body.into() }
    }

    /// Any JSON.
    pub fn json(status: u16, body: &Value) -> Self {
        Self::new(status, body.to_string()).content_type("application/json")
    }

    /// JSON in the shape of the API's refusals, such as `(403, 40333, "internal network error")`.
    pub fn refusal(status: u16, code: u32, message: &str) -> Self {
        Self::json(status, &json!({ "message": message, "code": code }))
    }

    /// Plain text, such as `error code: 1020`.
    pub fn text(status: u16, body: impl Into<String>) -> Self {
        Self::new(status, body).content_type("text/plain; charset=UTF-8")
    }

    /// A page for people.
    pub fn html(status: u16, body: impl Into<String>) -> Self {
        Self::new(status, body).content_type("text/html; charset=UTF-8")
    }

    /// Another content type.
    #[must_use]
    pub fn content_type(mut self, kind: impl Into<String>) -> Self {
        self.content_type = Some(kind.into());
        self
    }

    /// One more header.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }
}
