//! Trust beyond a source address: what a request brings as evidence, and
//! whether its channel is content with it. The rules are in `rules.rs`, what a
//! channel keeps in `channel_keys.rs`, and how the ingress gets to know it in `mirror.rs`.

mod channel_keys;
mod mirror;
pub(crate) mod oracle;
mod rules;

use shared::{Alert, ChannelId, alert::Trust};

pub(crate) use self::mirror::Mirror;
pub(crate) use self::rules::Evidence;
use self::{
    mirror::Known,
    rules::{Distrust, judge},
};
use crate::response::Answer;

/// A request that is not trusted, or of which that cannot be said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotTrusted {
    /// The evidence is not what the channel demands.
    #[error(transparent)]
    Distrusted(#[from] Distrust),
    /// What the channel demands is written in a way that this build cannot read.
    #[error("trust: the channel's record cannot be read")]
    Unreadable,
    /// What channels demand was never read.
    #[error("trust: what channels trust was not read yet")]
    Unread,
}

impl NotTrusted {
    /// What the request is answered.
    pub(crate) const fn answer(self, channel: ChannelId) -> Answer {
        match self {
            Self::Distrusted(_) | Self::Unreadable => Answer::UnauthorizedChannel(channel),
            Self::Unread => Answer::QueueUnavailable,
        }
    }

    /// A short name for counters.
    const fn name(self) -> &'static str {
        match self {
            Self::Distrusted(distrust) => distrust.name(),
            Self::Unreadable => "unreadable",
            Self::Unread => "unread",
        }
    }
}

/// How far the alert, received when it says, is trusted for what came with it.
///
/// # Errors
/// [`NotTrusted`] when it must not be stored.
pub(crate) fn verify(mirror: &Mirror, alert: &Alert, evidence: &Evidence<'_>) -> Result<Trust, NotTrusted> {
    let trust = match mirror.known(alert.channel) {
        Known::Unread => Err(NotTrusted::Unread),
        Known::Unreadable => Err(NotTrusted::Unreadable),
        Known::Keys(keys) => judge(&keys, evidence, alert.received_ms).map_err(NotTrusted::from),
    };
    let outcome = match &trust {
        Ok(Trust::None) => "none",
        Ok(Trust::Token(_)) => "token",
        Ok(Trust::Signature(_)) => "signature",
        Err(error) => error.name(),
    };
    metrics::counter!("sentry_bot_ingress_trust_total", "outcome" => outcome).increment(1);
    trust
}
