//! Faults on demand: what goes wrong, with which requests, and how often.

use std::{collections::BTreeMap, time::Duration};

use serde::Deserialize;

use crate::config::LimitBody;

/// An answer with any status, headers and body. It has none of the API's own headers.
#[derive(Debug, Clone, Deserialize)]
pub struct HttpAnswer {
    pub(crate) status: u16,
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) body: String,
}

impl HttpAnswer {
    /// This body, with no content type.
    pub fn new(status: u16, body: impl Into<String>) -> Self {
        Self { status, headers: BTreeMap::new(), body: body.into() }
    }

    /// A page for people, such as that of a proxy.
    pub fn html(status: u16, body: impl Into<String>) -> Self {
        Self::new(status, body).header("Content-Type", "text/html; charset=utf-8")
    }

    /// A redirect to another address.
    pub fn redirect(status: u16, to: &str) -> Self {
        Self::new(status, "").header("Location", to)
    }

    /// One more header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(name.to_owned(), value.to_owned());
        self
    }
}

/// What goes wrong.
#[derive(Debug, Clone)]
pub enum Effect {
    /// An answer with this status, such as 502, and a page of a proxy.
    Status(u16),
    /// The connection is cut without an answer.
    Cut,
    /// No answer ever.
    Silence,
    /// This long before the usual answer.
    Slow(Duration),
    /// The usual answer, one byte at a time with this pause in between.
    Trickle(Duration),
    /// 200 and a JSON body of at least so many bytes.
    Huge(usize),
    /// 429, whose limit ends after this time.
    TooMany(Duration, LimitBody),
    /// 204: the issue vanished while it was changed (`update_groups` in
    /// `src/sentry/api/helpers/group_index/update.py`).
    NoGroups,
    /// This answer.
    Answer(HttpAnswer),
}

/// One thing that goes wrong, until it is used up or [cleared](crate::SandboxSentry::clear_faults).
#[derive(Debug, Clone)]
pub struct Fault {
    pub(crate) effect: Effect,
    pub(crate) after: bool,
    endpoint: Option<String>,
    left: Option<u32>,
}

impl Fault {
    /// A fault of each request to the API from now on, before it is done.
    pub const fn new(effect: Effect) -> Self {
        Self { effect, after: false, endpoint: None, left: None }
    }

    /// It comes after the request was done: only the answer goes wrong.
    #[must_use]
    pub const fn after(mut self) -> Self {
        self.after = true;
        self
    }

    /// Only at this [endpoint](crate::endpoint).
    #[must_use]
    pub fn on_endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.endpoint = Some(endpoint.into());
        self
    }

    /// Only with the next `count` requests.
    #[must_use]
    pub const fn times(mut self, count: u32) -> Self {
        self.left = Some(count);
        self
    }
}

/// All faults that are set.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    pub(crate) fn add(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Uses up the first fault that concerns this request.
    pub(crate) fn strike(&mut self, endpoint: &str) -> Option<Fault> {
        let concerns = |fault: &&mut Fault| {
            fault.left != Some(0) && fault.endpoint.as_deref().is_none_or(|wanted| wanted == endpoint)
        };
        let fault = self.0.iter_mut().find(concerns)?;
        fault.left = fault.left.map(|left| left - 1);
        Some(fault.clone())
    }
}
