//! What each answer causes besides the response: counters, a log line for every
//! rejection, and an event in the operator's own Sentry.

mod line_limits;
#[cfg(test)]
mod tests;

use std::{net::IpAddr, time::Duration};

use sentry::Level;
use shared::{telemetry, text::cut};

use self::line_limits::LineLimits;
use crate::{endpoint::is_endpoint, response::WebhookResponse};

/// How often to log how many rejections had no line of their own.
const SUM_UP_EVERY: Duration = Duration::from_secs(10);
/// A stranger chooses the path, so the log has this many bytes of it.
const MAX_PATH: usize = 200;

/// This many letters and digits in a row may be a token. A token has more.
const TOKEN_LIKE: usize = 32;

/// A request that was answered.
pub(crate) struct AnsweredRequest<'a> {
    /// Where it came from, if known.
    pub(crate) source: Option<IpAddr>,
    /// The path without its query. A path that is not ours may be a mistyped
    /// URL with its query in it.
    pub(crate) path: &'a str,
    /// Its answer.
    pub(crate) answer: &'a WebhookResponse,
    /// The rule that it broke. Never holds what was sent.
    pub(crate) rule: &'a str,
    /// Whether it is an alert about this bot. Its rejection is not reported,
    /// because the report would be the next alert.
    pub(crate) own: bool,
}

/// Logs, counts and reports answers.
#[derive(Debug, Default)]
pub(crate) struct RequestLog {
    lines: LineLimits,
}

impl RequestLog {
    pub(crate) fn report(&self, answered: &AnsweredRequest<'_>) {
        let (name, status) = (answered.answer.name(), answered.answer.status());
        metrics::counter!("sentry_bot_ingress_requests_total", "outcome" => name).increment(1);
        if status.is_success() {
            tracing::debug!(outcome = name, "answered a webhook");
            return;
        }
        let captured = !answered.own;
        let path = shown(answered.path);
        if let Some(unlogged) = self.lines.admit(name, answered.source) {
            let source = answered.source.map(tracing::field::display);
            let (rule, status) = (answered.rule, status.as_u16());
            let unlogged = (unlogged > 0).then_some(unlogged);
            if status >= 500 {
                tracing::error!(source, path, status, rule, unlogged, captured, "failed a request");
            } else {
                tracing::warn!(source, path, status, rule, unlogged, captured, "refused a request");
            }
        }
        if captured {
            capture(answered, name, path);
        }
    }

    /// Logs how many rejections had no line, as long as it is polled. No later
    /// line would count the last ones of a flood.
    pub(crate) async fn sum_up(&self) {
        loop {
            tokio::time::sleep(SUM_UP_EVERY).await;
            for (kind, unlogged) in self.lines.unlogged() {
                tracing::warn!(kind, unlogged, "did not log each refused request");
            }
        }
    }
}

/// The part of a path that holds no token. A path that is not ours ends before
/// the first character of a query, and before anything as long as a token.
fn shown(path: &str) -> String {
    if is_endpoint(path) {
        return path.to_owned();
    }
    let path = path.split(['&', '=', '?', '%']).next().unwrap_or_default();
    let is_tokens = |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '_');
    let parts = path.split_inclusive(|character| !is_tokens(character));
    let before: String = parts.take_while(|part| part.len() <= TOKEN_LIKE).collect();
    cut(&before, MAX_PATH)
}

fn capture(answered: &AnsweredRequest<'_>, name: &str, path: String) {
    let status = answered.answer.status();
    let level = if status.is_server_error() { Level::Error } else { Level::Warning };
    let source = answered.source.map(|source| source.to_string()).unwrap_or_default();
    let facts = [
        ("status", status.as_u16().to_string()),
        ("rule", answered.rule.to_owned()),
        ("path", path),
        ("source", source),
    ];
    telemetry::capture(&format!("refused/{name}"), level, &format!("Webhook refused: {name}"), &facts);
}
