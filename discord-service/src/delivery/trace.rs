//! A post is the last part of its alerts' traces: one trace for each embed, of
//! the alert that it shows.

use sentry::{Transaction, protocol::SpanStatus};
use shared::trace::TracePoint;

/// One post's part of these traces, while it is under way. A part that was cut
/// off is never ended, and leaves no record.
pub(super) struct Posting(Vec<Transaction>);

impl Posting {
    pub(super) fn begin(traces: &[TracePoint]) -> Self {
        let parts = traces.iter().map(|trace| {
            let context = TracePoint::continued(Some(trace), "post an alert", "queue.process");
            sentry::start_transaction(context)
        });
        Self(parts.collect())
    }

    /// Ends them, once Discord has decided.
    pub(super) fn end(self, posted: bool) {
        let status = if posted { SpanStatus::Ok } else { SpanStatus::FailedPrecondition };
        for part in self.0 {
            part.set_status(status);
            part.finish();
        }
    }
}
