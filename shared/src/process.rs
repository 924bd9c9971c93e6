//! The frame of both `main` functions: what the process exits with.

use std::process::ExitCode;

use crate::{
    settings::{EXIT_USAGE, SettingsError},
    text::chain,
};

/// Exit code when Discord refused the bot's token: `EX_NOPERM` of BSD's
/// `sysexits.h`. A bad token never heals, so restarting does not help.
pub const EXIT_BAD_TOKEN: u8 = 77;

/// Discord answered that the bot's token is not valid.
#[derive(Debug, thiserror::Error)]
#[error("Discord refused the bot's token: set DISCORD_TOKEN to a valid one")]
pub struct BadToken;

/// The exit code for how a service ended, after saying why in one line: on
/// standard error, as a log line where logging is set up.
pub fn exit_code(service: &str, result: anyhow::Result<()>) -> ExitCode {
    let Err(error) = result else {
        return ExitCode::SUCCESS;
    };
    // A wrong setting is one plain line, whatever the setting for log lines is.
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
    // Fails only when called twice, and then it is already there.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
