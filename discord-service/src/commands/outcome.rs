//! What came of a command: its reply, or why it could not be carried out.

use super::{
    Asker,
    replies::{self, Reply},
};
use crate::{
    guilds::{FactsError, Unanswered},
    store::StoreError,
    trust::TrustError,
};

/// Why a command could not be carried out now.
#[derive(Debug, thiserror::Error)]
pub(super) enum CommandError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Discord(#[from] FactsError),
    #[error(transparent)]
    Trust(#[from] TrustError),
    #[error("{0:#}")]
    Nats(anyhow::Error),
}

impl CommandError {
    /// Whether it was not tried because commands of the guild come too fast.
    pub(super) fn is_too_many(&self) -> bool {
        matches!(self, Self::Discord(error) if Unanswered::is_too_many(error))
    }
}

/// The reply to a command that was carried out, or could not be.
pub(super) fn settle(by: Asker, command: &'static str, outcome: Result<Reply, CommandError>) -> Reply {
    let failure = match outcome {
        Ok(reply) => {
            count(command, "answered");
            return reply;
        }
        Err(failure) => failure,
    };
    if failure.is_too_many() {
        count(command, "ignored");
        return replies::too_many();
    }
    tracing::warn!(
        guild.id = %by.guild, channel.id = %by.channel, command,
        "cannot carry out a command: {failure}"
    );
    let (outcome, reply) = match failure {
        CommandError::Store(_) | CommandError::Trust(_) | CommandError::Nats(_) => {
            ("store_unavailable", replies::store_unavailable())
        }
        CommandError::Discord(_) => ("discord_unavailable", replies::discord_unavailable()),
    };
    count(command, outcome);
    reply
}

/// Counts a command by its name and what came of it.
pub(super) fn count(command: &'static str, outcome: &'static str) {
    metrics::counter!("sentry_bot_commands_total", "command" => command, "outcome" => outcome).increment(1);
}
