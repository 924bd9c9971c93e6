//! Stopping on SIGTERM or SIGINT.

use tokio::signal::unix::{SignalKind, signal};
pub use tokio_util::sync::CancellationToken;

/// Exit code of a process that was told twice to stop.
const EXIT_FORCED: i32 = 130;

/// A token that is cancelled by the first SIGTERM or SIGINT. A second one ends
/// the process at once, for whoever cannot wait for the drain.
///
/// # Errors
/// When the handlers cannot be installed.
pub fn on_signal() -> std::io::Result<CancellationToken> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let token = CancellationToken::new();
    let cancelled = token.clone();
    tokio::spawn(async move {
        for first in [true, false] {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if first {
                tracing::info!("stopping; a second signal ends the process at once");
                cancelled.cancel();
            }
        }
        tracing::warn!("second signal: ending without draining");
        std::process::exit(EXIT_FORCED);
    });
    Ok(token)
}
