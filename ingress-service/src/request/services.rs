//! Everything that the requests of this process share.

use std::sync::Arc;

use super::body_memory::BodyMemory;
use crate::{
    connection::limits::ConnectionLimits, deadlines::AnswerTimeouts, queue::AlertQueue,
    refusal_notes::RefusalNotes, request_log::RequestLog, sources::Sources, trust::TrustCopy,
    verdict::VerdictClient,
};

/// What answers webhooks: see `handler.rs` and `store_alert.rs`.
#[derive(Debug)]
pub(crate) struct RequestServices {
    pub(crate) sources: Arc<Sources>,
    pub(crate) connections: ConnectionLimits,
    pub(crate) body_memory: BodyMemory,
    /// The most bytes that a body may have.
    pub(crate) max_body: u64,
    pub(crate) timeouts: AnswerTimeouts,
    pub(crate) trust: TrustCopy,
    pub(crate) verdicts: VerdictClient,
    pub(crate) queue: AlertQueue,
    pub(crate) log: Arc<RequestLog>,
    pub(crate) refusal_notes: RefusalNotes,
}
