//! What an HTTP answer of Discord says: its rate-limit headers and its errors.

use std::time::Duration;

use reqwest::{StatusCode, header::HeaderMap};
use serde::Deserialize;
use serde_json::Value;
use shared::text::cut;
use strum::IntoStaticStr;

use super::{
    answer_meaning::{Asked, Meaning},
    codes,
    error::{DiscordError, DiscordRefusal},
};

/// No wait that Discord asks for is taken to be longer, whatever it says.
const LONGEST_WAIT: f64 = 24.0 * 60.0 * 60.0;
/// How long such a 429 holds that does not say how long.
const OLD_EDITS_WAIT: Duration = Duration::from_secs(300);
/// Discord's words are kept up to this many characters.
const MAX_WORDS: usize = 500;

/// A complete answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

/// One bucket's state as the server saw it while it answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    /// Requests per window, at least 1.
    pub(super) limit: u32,
    /// Requests left in this window.
    pub(super) remaining: u32,
    /// Until the next window begins.
    pub(super) reset_after: Duration,
}

/// Whom a 429 stops. <https://docs.discord.com/developers/topics/rate-limits>
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub(super) enum Scope {
    /// This bot on this bucket.
    User,
    /// Everybody on this resource; it does not count as an invalid answer.
    Shared,
    /// This bot everywhere.
    Global,
    /// Not Discord's application but something in front of it: this address
    /// everywhere.
    Address,
}

impl Scope {
    /// The label in metrics.
    pub(super) fn name(self) -> &'static str {
        self.into()
    }

    /// Whether all requests must stop, not only this bucket's.
    pub(super) const fn stops_all(self) -> bool {
        matches!(self, Self::Global | Self::Address)
    }
}

/// The body of a 429.
#[derive(Deserialize)]
struct RateLimited {
    // Absent in some answers of this code, as others have seen them.
    retry_after: Option<f64>,
    #[serde(default)]
    global: bool,
    #[serde(default)]
    code: u32,
}

/// The body of any other error.
#[derive(Default, Deserialize)]
#[serde(default)]
struct ErrorBody {
    message: String,
    code: Option<u32>,
    errors: Value,
}

impl Answer {
    /// The id of the bucket, which leaves the major parameter out.
    pub(super) fn bucket(&self) -> Option<&str> {
        self.header("x-ratelimit-bucket").filter(|id| !id.is_empty() && id.len() <= 64)
    }

    /// The bucket's state; `None` unless every header of it makes sense.
    pub(super) fn window(&self) -> Option<Window> {
        Some(Window {
            limit: self.header("x-ratelimit-limit")?.parse().ok().filter(|limit| *limit > 0)?,
            remaining: self.header("x-ratelimit-remaining")?.parse().ok()?,
            reset_after: seconds(self.header("x-ratelimit-reset-after")?.parse().ok()?)?,
        })
    }

    /// Whom this 429 stops, and for how long if it says so.
    pub(super) fn rate_limited(&self) -> (Scope, Option<Duration>) {
        let body: Option<RateLimited> = serde_json::from_slice(&self.body).ok();
        let scope = match self.header("x-ratelimit-scope") {
            Some("user") => Scope::User,
            Some("shared") => Scope::Shared,
            Some("global") => Scope::Global,
            _ if self.headers.contains_key("x-ratelimit-global") => Scope::Global,
            _ => match &body {
                Some(body) if body.global => Scope::Global,
                Some(body) if body.retry_after.is_some() || body.code != 0 => Scope::User,
                Some(_) | None => Scope::Address,
            },
        };
        let header = |name| self.header(name).and_then(|text| text.parse().ok()).and_then(seconds);
        let wait = body
            .and_then(|body| seconds(body.retry_after?))
            .or_else(|| header("retry-after"))
            .or_else(|| header("x-ratelimit-reset-after"));
        (scope, wait)
    }

    /// For how long this 429 stops edits of messages as old as this one, and nothing
    /// else; `None` where it is another 429.
    pub(super) fn old_edits_limited(&self) -> Option<Duration> {
        let body: RateLimited = serde_json::from_slice(&self.body).ok()?;
        let (_, wait) = self.rate_limited();
        (self.status == StatusCode::TOO_MANY_REQUESTS && body.code == codes::OLD_EDITS_LIMITED)
            .then(|| wait.unwrap_or(OLD_EDITS_WAIT))
    }

    /// What it means, where this was asked.
    pub(super) fn meaning(&self, asked: Asked) -> Meaning {
        Meaning::of(asked, self.status.as_u16(), self.header("content-type"), self.failure().code)
    }

    /// The error for a refusal.
    pub(super) fn refused(&self, refusal: DiscordRefusal) -> DiscordError {
        let failure = self.failure();
        let message = match words(&failure) {
            words if words.is_empty() => {
                self.status.canonical_reason().unwrap_or("no reason given").to_owned()
            }
            words => words,
        };
        let (status, code) = (self.status.as_u16(), failure.code.unwrap_or_default());
        DiscordError::Refused { refusal, status, code, message }
    }

    /// The error for a fault that passes.
    pub(super) fn passing(&self, answered_4xx: bool) -> DiscordError {
        let status = self.status;
        let error = match self.failure() {
            failure @ ErrorBody { code: Some(code), .. } => {
                anyhow::anyhow!("it answered {status}, code {code}: {}", words(&failure))
            }
            ErrorBody { code: None, .. } => anyhow::anyhow!("it answered {status}"),
        };
        DiscordError::Unavailable { error, answered_4xx }
    }

    fn failure(&self) -> ErrorBody {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok().map(str::trim)
    }
}

fn seconds(number: f64) -> Option<Duration> {
    // Not `min`, which turns NaN into a number.
    Duration::try_from_secs_f64(if number > LONGEST_WAIT { LONGEST_WAIT } else { number }).ok()
}

/// Discord's message, and which field broke which rule when it is a form error.
fn words(failure: &ErrorBody) -> String {
    let mut details = Vec::new();
    collect(&failure.errors, &mut String::new(), &mut details);
    let text = if details.is_empty() {
        failure.message.clone()
    } else {
        format!("{}: {}", failure.message, details.join("; "))
    };
    cut(&text, MAX_WORDS)
}

/// Walks Discord's tree of form errors, whose leaves are `_errors` lists.
/// serde_json bounds its depth.
fn collect(errors: &Value, path: &mut String, details: &mut Vec<String>) {
    for (key, value) in errors.as_object().into_iter().flatten() {
        if key == "_errors" {
            let leaves = value.as_array().into_iter().flatten();
            details.extend(leaves.filter_map(|leaf| Some(format!("{path} {}", leaf["message"].as_str()?))));
        } else {
            let parent = path.len();
            if !path.is_empty() {
                path.push('.');
            }
            path.push_str(key);
            collect(value, path, details);
            path.truncate(parent);
        }
    }
}

#[cfg(test)]
mod tests;
