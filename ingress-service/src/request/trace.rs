//! The trace of each webhook: it continues Sentry's, and goes on in the post.

use actix_web::{
    HttpRequest,
    http::{StatusCode, header::HeaderMap},
};
use sentry::{Transaction, protocol::SpanStatus};
use shared::trace::TracePoint;

/// Begins the part of the trace that this request is. Whether it is recorded is
/// never the sender's decision.
pub(crate) fn begin(request: &HttpRequest) -> Transaction {
    let point = from_headers(request.headers()).map(TracePoint::undecided);
    let context = TracePoint::continued(point.as_ref(), "POST /sentry-bot/channel", "http.server");
    sentry::start_transaction(context)
}

fn from_headers(headers: &HeaderMap) -> Option<TracePoint> {
    TracePoint::from_headers(|name| headers.get(name)?.to_str().ok())
}

/// Ends it with this answer. Strangers' requests are not recorded.
pub(crate) fn end(transaction: Transaction, status: StatusCode) {
    let outcome = match status.as_u16() {
        200..300 => SpanStatus::Ok,
        401 => SpanStatus::Unauthenticated,
        403 => return,
        429 => SpanStatus::ResourceExhausted,
        503 => SpanStatus::Unavailable,
        500.. => SpanStatus::InternalError,
        _ => SpanStatus::InvalidArgument,
    };
    transaction.set_data("http.response.status_code", status.as_u16().into());
    transaction.set_status(outcome);
    transaction.finish();
}
