//! Stops the process on SIGTERM or SIGINT.

use std::{io, process, thread};

use tokio::{
    runtime,
    signal::unix::{SignalKind, signal},
};
pub use tokio_util::sync::CancellationToken;

use crate::process::EXIT_FORCED;

/// Returns a token that the first SIGTERM or SIGINT cancels. A second signal
/// ends the process at once, for people who cannot wait. Call this once, as
/// early as possible: until then a signal just ends the process.
///
/// A thread of its own waits for the signals. So none is missed before the
/// runtime starts, and the second signal also ends a process that hangs.
///
/// # Errors
/// When the handlers cannot be installed.
pub fn on_signal() -> io::Result<CancellationToken> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let (mut terminate, mut interrupt) = {
        let _entered = runtime.enter();
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?)
    };
    let token = CancellationToken::new();
    let cancelled = token.clone();
    let listen = async move {
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
        process::exit(EXIT_FORCED);
    };
    thread::Builder::new().name("signals".to_owned()).spawn(move || runtime.block_on(listen))?;
    Ok(token)
}
