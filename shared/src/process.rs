//! What both `main` functions share: exit codes and the provider of
//! cryptography.

use std::process::ExitCode;

use crate::{settings::SettingsError, text::chain};

/// Exit code for wrong settings: `EX_USAGE` of BSD's `sysexits.h`.
pub const EXIT_USAGE: u8 = 64;
/// Exit code when Discord refused the bot's token: `EX_NOPERM` of BSD's
/// `sysexits.h`. A bad token stays bad, so a restart does not help.
pub const EXIT_BAD_TOKEN: u8 = 77;
/// Exit code of a process that was told twice to stop.
pub(crate) const EXIT_FORCED: i32 = 130;

/// Discord answered that the bot's token is not valid.
#[derive(Debug, thiserror::Error)]
#[error("Discord refused the bot's token: set DISCORD_TOKEN to a valid one")]
pub struct BadToken;

/// Says in one line why a service ended, and returns its exit code. The line is
/// a log line if logging is set up, else plain text on standard error.
pub fn exit_code(service: &str, result: anyhow::Result<()>) -> ExitCode {
    let Err(error) = result else {
        return ExitCode::SUCCESS;
    };
    // A wrong setting is always one plain line.
    if tracing::dispatcher::has_been_set() && !error.is::<SettingsError>() {
        tracing::error!("{service}: {}", chain(&error));
    } else {
        eprintln!("{service}: {}", chain(&error));
    }
    if error.is::<SettingsError>() {
        ExitCode::from(EXIT_USAGE)
    } else if error.is::<BadToken>() {
        ExitCode::from(EXIT_BAD_TOKEN)
    } else {
        ExitCode::FAILURE
    }
}

/// Makes `ring` the one provider of cryptography for every TLS client in the
/// process. Call it first in `main`: a second provider in the tree would
/// otherwise panic at the first TLS connection.
pub fn install_crypto() {
    // It fails only when called twice, and then the provider is already there.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
