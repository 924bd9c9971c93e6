//! Counts the errors and warnings in the log: the operator's first alarm.

use tracing::{Event, Level, Subscriber};
use tracing_subscriber::{Layer, layer::Context};

use super::{metrics::LOGGED, own_sentry::is_ours};

/// Counts the warnings and errors of this program's own code, logged or filtered.
pub(super) struct CountErrors;

impl<S: Subscriber> Layer<S> for CountErrors {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let level = match *event.metadata().level() {
            Level::ERROR => "error",
            Level::WARN => "warning",
            _ => return,
        };
        if is_ours(event.metadata()) {
            metrics::counter!(LOGGED, "level" => level).increment(1);
        }
    }
}
