//! Who may use which command, and where.

use super::parse::{Command, ParseError};

/// What must hold before a command does anything.
#[derive(Debug, Clone, Copy)]
pub(super) struct Needs {
    /// The channel must be authorized.
    pub(super) authorized: bool,
    /// The user must be allowed to manage messages here.
    pub(super) manage_messages: bool,
}

impl Needs {
    /// A mistake in a command needs what the command needs: strangers learn nothing.
    pub(super) const fn of(command: &Result<Command, ParseError>) -> Self {
        match command {
            Ok(Command::Help | Command::Project(_) | Command::Status(None))
            | Err(ParseError::NotASlug | ParseError::UnknownWord) => {
                Self { authorized: true, manage_messages: false }
            }
            Ok(Command::Replay | Command::Test) => Self { authorized: true, manage_messages: true },
            // What was refused for a channel that is not authorized is for its admins.
            Ok(
                Command::Channel(_) | Command::Status(Some(_)) | Command::Rules(_) | Command::SlashOptions(_),
            )
            | Err(ParseError::NotAChannel | ParseError::Rules(_)) => {
                Self { authorized: false, manage_messages: true }
            }
        }
    }
}
