//! The binary of discord-service; see the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    shared::process::install_crypto();
    shared::process::exit_code("discord-service", discord_service::app::run())
}
