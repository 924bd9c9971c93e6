//! The point of an alert in a distributed trace. It comes from the request,
//! goes through NATS in headers, and continues with the post.
//!
//! It reads and writes both notations: `sentry-trace` (Sentry's trace
//! propagation) and `traceparent` (W3C Trace Context).

#[cfg(test)]
mod tests;

use async_nats::HeaderMap;
use sentry::{
    TracePropagationContext, TransactionContext,
    protocol::{SpanId, TraceId},
};

/// Sentry's header.
pub const SENTRY_TRACE: &str = "sentry-trace";
/// The W3C's header.
pub const TRACEPARENT: &str = "traceparent";

/// One point in a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TracePoint {
    trace: TraceId,
    span: SpanId,
    /// Whether the trace is recorded. `None` while that is undecided.
    sampled: Option<bool>,
}

impl TracePoint {
    /// The point in the headers of a request or a message, if there is one. The
    /// first header that can be read counts.
    pub fn from_headers<'a>(mut header: impl FnMut(&'static str) -> Option<&'a str>) -> Option<Self> {
        let sentry = header(SENTRY_TRACE).and_then(|value| Self::parse(value, "1"));
        sentry.or_else(|| {
            let (version, rest) = header(TRACEPARENT)?.trim().split_once('-')?;
            (version != "ff").then(|| Self::parse(rest, "01"))?
        })
    }

    /// `<trace>-<span>[-<flags>]`.
    fn parse(value: &str, recorded: &str) -> Option<Self> {
        let mut parts = value.trim().split('-');
        let (trace, span) = (parts.next()?, parts.next()?);
        let zeros = |text: &str| text.bytes().all(|byte| byte == b'0');
        if trace.len() != 32 || span.len() != 16 || zeros(trace) || zeros(span) {
            return None;
        }
        let sampled = parts.next().map(|flags| flags == recorded);
        Some(Self { trace: trace.parse().ok()?, span: span.parse().ok()?, sampled })
    }

    /// The point of this transaction.
    pub fn of(transaction: &sentry::Transaction) -> Option<Self> {
        let (_, value) = transaction.iter_headers().find(|(name, _)| *name == SENTRY_TRACE)?;
        Self::parse(&value, "1")
    }

    /// The same point, with the recording undecided. A stranger's header must
    /// not fill the operator's Sentry.
    #[must_use]
    pub const fn undecided(self) -> Self {
        Self { sampled: None, ..self }
    }

    /// Adds both headers.
    pub fn write(&self, headers: &mut HeaderMap) {
        let Self { trace, span, sampled } = self;
        let sentry = match sampled {
            Some(sampled) => format!("{trace}-{span}-{}", u8::from(*sampled)),
            None => format!("{trace}-{span}"),
        };
        headers.insert(SENTRY_TRACE, sentry);
        headers.insert(TRACEPARENT, format!("00-{trace}-{span}-0{}", u8::from(*sampled == Some(true))));
    }

    /// The context of a transaction of this name and kind, which continues the
    /// trace.
    pub fn continued(point: Option<&Self>, name: &str, operation: &str) -> TransactionContext {
        let Some(Self { trace, span, sampled }) = point else {
            return TransactionContext::new(name, operation);
        };
        let context = TracePropagationContext::new(*trace, *span);
        let context = match sampled {
            Some(sampled) => context.with_sampled(*sampled),
            None => context,
        };
        TransactionContext::continue_from_trace_propagation_context(name, operation, &context, None)
    }
}
