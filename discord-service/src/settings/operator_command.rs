//! The subcommands of the binary: what an operator types in place of serving.

use clap::Subcommand;
use shared::ChannelId;

/// What the binary does instead of serving.
#[derive(Debug, Clone, Subcommand)]
pub enum OperatorCommand {
    /// Alerts that could not be delivered
    #[command(subcommand)]
    DeadLetters(DeadLettersCommand),
    /// Asks the running service at ADMIN_ADDR whether it lives: exit code 0 or 1
    Healthcheck,
}

/// What to do with dead letters.
#[derive(Debug, Clone, Subcommand)]
pub enum DeadLettersCommand {
    /// Lists them: sequence, time, channel, reason, project, title
    List {
        /// Only those of this channel
        #[arg(long)]
        channel: Option<ChannelId>,
    },
    /// Shows one as it is stored
    Show {
        /// Its sequence in the list
        sequence: u64,
    },
    /// Puts them back into the queue
    Replay {
        /// Only those of this channel
        #[arg(long)]
        channel: Option<ChannelId>,
    },
    /// Throws them away
    Purge {
        /// Only those of this channel
        #[arg(long)]
        channel: Option<ChannelId>,
    },
}
