//! Waits for an event: polls quickly, and explains what was missing when it
//! gives up.

use std::{
    future::Future,
    time::{Duration, Instant},
};

/// How long a test waits for something that should happen at once. Only a
/// failing test waits so long, so a busy machine gets plenty of time.
pub const SOON: Duration = Duration::from_secs(30);

/// Polls `probe` until it returns a value.
///
/// # Panics
/// With `what` when nothing came within `limit`.
pub async fn wait_for<T, F>(what: &str, limit: Duration, mut probe: impl FnMut() -> F) -> T
where
    F: Future<Output = Option<T>>,
{
    let start = Instant::now();
    loop {
        if let Some(value) = probe().await {
            return value;
        }
        assert!(start.elapsed() < limit, "waited {limit:?} in vain: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
