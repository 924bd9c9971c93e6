//! What becomes of each answer beside the response: counters, a log line for
//! every refusal, and an event in the operator's own Sentry.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use shared::text::cut;

use crate::{answer::Answer, limits::lines::Lines};

/// One event in the operator's Sentry for each kind of refusal within this.
const CAPTURE_EVERY: Duration = Duration::from_secs(60);
/// How often refusals that were not logged are summed up.
const SUM_UP_EVERY: Duration = Duration::from_secs(10);
/// Paths are whatever a stranger sends.
const MAX_PATH: usize = 200;

/// A request that was answered.
pub(crate) struct Answered<'a> {
    /// Where it came from, as far as it is known.
    pub(crate) source: Option<IpAddr>,
    /// The path without its query, which may hold a token.
    pub(crate) path: &'a str,
    /// What it was answered.
    pub(crate) answer: &'a Answer,
    /// Why, when it was refused. Never holds what was sent.
    pub(crate) rule: &'a str,
    /// Whether it was an alert about this bot: its refusal is told to nobody,
    /// since the telling would be the next alert.
    pub(crate) own: bool,
    /// How long it took.
    pub(crate) took: Duration,
}

/// Tells about answers.
#[derive(Debug, Default)]
pub(crate) struct Reporter {
    captured: Mutex<HashMap<&'static str, Instant>>,
    lines: Lines,
}

impl Reporter {
    pub(crate) fn report(&self, answered: &Answered<'_>) {
        let (name, status) = (answered.answer.name(), answered.answer.status());
        metrics::counter!("sentry_bot_ingress_requests_total", "outcome" => name).increment(1);
        metrics::histogram!("sentry_bot_ingress_request_seconds").record(answered.took.as_secs_f64());
        if status.is_success() {
            tracing::debug!(outcome = name, "answered a webhook");
            return;
        }
        let path = cut(answered.path, MAX_PATH);
        if let Some(unlogged) = self.lines.admit(name, answered.source) {
            let source = answered.source.map(tracing::field::display);
            let (rule, status) = (answered.rule, status.as_u16());
            let unlogged = (unlogged > 0).then_some(unlogged);
            if status >= 500 {
                tracing::error!(source, path, status, rule, unlogged, "failed a request");
            } else {
                tracing::warn!(source, path, status, rule, unlogged, "refused a request");
            }
        }
        if !answered.own && self.may_capture(name, Instant::now()) {
            capture(answered, name, path);
        }
    }

    /// Tells how many refusals were not logged, as long as it is polled: the
    /// last ones of a flood have no line after them that would.
    pub(crate) async fn sum_up(&self) {
        loop {
            tokio::time::sleep(SUM_UP_EVERY).await;
            for (kind, unlogged) in self.lines.unlogged() {
                tracing::warn!(kind, unlogged, "did not log each refused request");
            }
        }
    }

    fn may_capture(&self, name: &'static str, now: Instant) -> bool {
        let mut captured = self.captured.lock().unwrap_or_else(PoisonError::into_inner);
        let due = captured.get(name).is_none_or(|last| now.duration_since(*last) >= CAPTURE_EVERY);
        if due {
            captured.insert(name, now);
        }
        due
    }
}

fn capture(answered: &Answered<'_>, name: &'static str, path: String) {
    let status = answered.answer.status();
    let level = if status.is_server_error() { sentry::Level::Error } else { sentry::Level::Warning };
    sentry::with_scope(
        |scope| {
            scope.set_fingerprint(Some(&["ingress-refusal", name]));
            scope.set_tag("http.status", status.as_u16());
            scope.set_extra("path", path.into());
            scope.set_extra("rule", answered.rule.into());
            scope.set_extra("source", answered.source.map(|source| source.to_string()).into());
        },
        || sentry::capture_message(&format!("Webhook refused: {name}"), level),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_storm_of_refusals_is_captured_once_a_minute_for_each_kind() {
        let reporter = Reporter::default();
        let start = Instant::now();
        let captured = |name| {
            (0..120).filter(|second| reporter.may_capture(name, start + Duration::from_secs(*second))).count()
        };
        assert_eq!(captured("unauthorized_ip"), 2);
        assert_eq!(captured("not_json"), 2);
    }
}
