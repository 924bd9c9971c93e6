//! What every call to either store has: a time limit, metrics, and a pause
//! before the next try when someone else's write came first.

use std::{future::Future, time::Duration};

use tokio::time::{Instant, sleep, timeout};

use super::StoreError;

/// No call takes longer: commands answer that the store is unavailable instead
/// of leaving the user without an answer.
pub(super) const TIME_LIMIT: Duration = Duration::from_secs(2);

/// How often a write is tried that others' writes keep overtaking. The time
/// limit usually ends it first.
pub(crate) const WRITE_ATTEMPTS: u32 = 20;

/// The call ran out of its time; a write may still have been done.
#[derive(Debug, thiserror::Error)]
#[error("no answer within {TIME_LIMIT:?}")]
pub(super) struct NoAnswer;

/// Runs one operation within [`TIME_LIMIT`] and counts it.
pub(super) async fn timed<T>(
    store: &'static str,
    operation: &'static str,
    work: impl Future<Output = anyhow::Result<T>>,
) -> Result<T, StoreError> {
    let start = Instant::now();
    let (outcome, result) = match timeout(TIME_LIMIT, work).await {
        Ok(Ok(value)) => ("ok", Ok(value)),
        Ok(Err(error)) => ("error", Err(error)),
        Err(_) => ("timeout", Err(NoAnswer.into())),
    };
    metrics::counter!("sentry_bot_store_calls_total", "store" => store, "operation" => operation, "outcome" => outcome)
        .increment(1);
    metrics::histogram!("sentry_bot_store_call_seconds", "store" => store, "operation" => operation)
        .record(start.elapsed());
    result.map_err(|error| StoreError(error.context(format!("{operation} in {store}"))))
}

/// Waits a little, longer after each attempt and never in step with the other
/// writer, so that a retried write meets it less.
pub(crate) async fn after_conflict(attempt: u32) {
    let most = 5u64 << attempt.min(5);
    sleep(Duration::from_millis(rand::random_range(0..=most))).await;
}

#[cfg(test)]
mod tests;
