//! Trust beyond a source address: the evidence that a request brings, and
//! whether it satisfies the channel. `rules` has the rules, `channel_keys` the
//! keys of one channel, and `copy` the ingress's copy of all of them.

mod channel_keys;
mod copy;
#[cfg(feature = "fuzzing")]
pub(crate) mod oracle;
mod rules;

use chrono::Utc;
use shared::{ChannelId, alert::Trust};
use strum::{IntoStaticStr, VariantNames};

use self::{copy::KeyLookup, rules::judge};
pub(crate) use self::{
    copy::TrustCopy,
    rules::{Evidence, EvidenceError},
};

/// Why a request is not trusted, or cannot be judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotTrusted {
    /// The evidence is not what the channel demands.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    /// This build cannot read what the channel demands.
    #[error("trust: the channel's record cannot be read")]
    Unreadable,
    /// The ingress has not read yet what channels demand.
    #[error("trust: what channels trust was not read yet")]
    Unread,
}

/// The outcome of a judgement, for the metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr, VariantNames)]
#[strum(serialize_all = "snake_case")]
pub(crate) enum TrustOutcome {
    None,
    Token,
    Signature,
    WrongToken,
    Missing,
    WrongSignature,
    SealedSecret,
    WrongTimestamp,
    Unreadable,
    Unread,
}

impl TrustOutcome {
    const fn of(trust: &Result<Trust, NotTrusted>) -> Self {
        match trust {
            Ok(Trust::None) => Self::None,
            Ok(Trust::Token(_)) => Self::Token,
            Ok(Trust::Signature(_)) => Self::Signature,
            Err(NotTrusted::Evidence(error)) => match error {
                EvidenceError::NoSuchToken | EvidenceError::WrongToken => Self::WrongToken,
                EvidenceError::TokenMissing | EvidenceError::NoSecret => Self::Missing,
                EvidenceError::WrongSignature => Self::WrongSignature,
                EvidenceError::Sealed => Self::SealedSecret,
                EvidenceError::Stale | EvidenceError::Timeless => Self::WrongTimestamp,
            },
            Err(NotTrusted::Unreadable) => Self::Unreadable,
            Err(NotTrusted::Unread) => Self::Unread,
        }
    }
}

/// Says for what evidence a request for this channel is trusted.
///
/// # Errors
/// [`NotTrusted`] when its alerts must not be stored.
pub(crate) fn verify(
    copy: &TrustCopy,
    channel: ChannelId,
    evidence: &Evidence<'_>,
) -> Result<Trust, NotTrusted> {
    let trust = match copy.known(channel) {
        KeyLookup::Unread => Err(NotTrusted::Unread),
        KeyLookup::Unreadable => Err(NotTrusted::Unreadable),
        // Uses the wall clock, which may have been corrected since the start,
        // because Sentry sends the time of its own clock.
        KeyLookup::Keys(keys) => {
            judge(&keys, evidence, Utc::now().timestamp_millis()).map_err(NotTrusted::from)
        }
    };
    let outcome: &'static str = TrustOutcome::of(&trust).into();
    metrics::counter!("sentry_bot_ingress_trust_total", "outcome" => outcome).increment(1);
    trust
}
