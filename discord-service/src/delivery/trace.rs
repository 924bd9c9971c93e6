//! A post as the last part of the traces of its alerts: one for each embed, of
//! the alert that it shows.

use sentry::{Transaction, protocol::SpanStatus};
use shared::trace::TracePoint;

/// The parts of traces that one post is, while it is under way. Those that are
/// not ended were cut off, and leave no record.
pub(super) struct Posting(Vec<Transaction>);

impl Posting {
    pub(super) fn begin(traces: &[TracePoint]) -> Self {
        let parts = traces.iter().map(|trace| {
            let context = TracePoint::continued(Some(trace), "post an alert", "queue.process");
            sentry::start_transaction(context)
        });
        Self(parts.collect())
    }

    /// Discord has decided.
    pub(super) fn end(self, posted: bool) {
        let status = if posted { SpanStatus::Ok } else { SpanStatus::FailedPrecondition };
        for part in self.0 {
            part.set_status(status);
            part.finish();
        }
    }
}
