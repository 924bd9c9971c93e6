//! Which alerts a channel's trust lets through. The ingress has verified them when
//! they came; this is about what changed since.

use shared::{alert::Trust, trust::ChannelTrust};

use crate::dead_letters::{Cause, DeadLetterReason};

/// Why an alert that was let in is not trusted any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Distrust {
    /// Its key was revoked.
    Revoked,
    /// It had none, and came after the channel was secured.
    Unproven,
}

/// Whether an alert that came at `received_ms` in this way may be posted.
pub(crate) fn distrust(kept: &ChannelTrust, trust: &Trust, received_ms: i64) -> Option<Distrust> {
    let revoked = |valid: bool| (!valid).then_some(Distrust::Revoked);
    match trust {
        Trust::None => (kept.secured && received_ms >= kept.secured_ms).then_some(Distrust::Unproven),
        Trust::Token(id) => revoked(kept.tokens.iter().any(|key| key.id == *id)),
        Trust::Signature(id) => revoked(kept.secrets.iter().any(|key| key.id == *id)),
    }
}

impl Distrust {
    /// Why, for the dead letter.
    pub(crate) fn cause(self) -> Cause {
        let words = match self {
            Self::Revoked => {
                "the token or client secret under which it came was revoked: give Sentry the channel's present one"
            }
            Self::Unproven => {
                "it came without a token or signature after the channel was secured: give Sentry the URL with the token, or open the channel"
            }
        };
        Cause::new(DeadLetterReason::Untrusted, words)
    }
}

#[cfg(test)]
mod tests;
