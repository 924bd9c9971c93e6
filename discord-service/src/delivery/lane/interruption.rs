//! Why a lane stops in the middle of its work.

use shared::process::BadToken;

use crate::authority::AskAgain;

/// Why a lane ends or starts over.
#[derive(Debug, thiserror::Error)]
pub(super) enum Interruption {
    /// The lease must be given up. A successor goes on.
    #[error("stopping")]
    Stopping,
    /// The bot's token is not valid, so the process must end.
    #[error(transparent)]
    BadToken(#[from] BadToken),
    /// NATS, the store or Discord is away, or another pod owns the channel now.
    #[error("{0:#}")]
    Failed(#[from] anyhow::Error),
}

impl From<AskAgain> for Interruption {
    fn from(error: AskAgain) -> Self {
        match error {
            AskAgain::BadToken(error) => error.into(),
            other => Self::Failed(other.into()),
        }
    }
}
