//! Which alerts a channel's trust lets through. The ingress has verified them when
//! they came; this is about what changed since.

use std::collections::BTreeMap;

use shared::{ChannelId, alert::Trust, trust::ChannelTrust};

use crate::dead_letters::{Cause, DeadLetterReason};

/// On what an alert was let in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Admission {
    /// The channel to which Sentry sent it, if a rule there sent it on.
    pub(crate) home: Option<ChannelId>,
    /// The trust for which that channel accepted it.
    pub(crate) trust: Trust,
}

/// The keys by which the alerts of one channel are judged.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct JudgingKeys {
    /// The channel's own.
    pub(crate) own: ChannelTrust,
    /// Those of the channels whose rules sent alerts here.
    pub(crate) homes: BTreeMap<ChannelId, ChannelTrust>,
}

/// Why an alert that was let in is not trusted any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Distrust {
    /// Its key was revoked.
    Revoked,
    /// It had none, and came after the channel was secured.
    Unproven,
    /// A rule sent it from a channel that is open to one that is secured.
    OpenHome,
}

impl JudgingKeys {
    /// Why an alert that was let in on this at `received_ms` must not be posted, if so.
    /// An alert that a rule sent here is judged by its home's keys.
    pub(crate) fn distrust(&self, admission: &Admission, received_ms: i64) -> Option<Distrust> {
        let Some(home) = admission.home else { return distrust(&self.own, &admission.trust, received_ms) };
        match self.homes.get(&home) {
            Some(home) if home.secured || !self.own.secured => distrust(home, &admission.trust, received_ms),
            // Otherwise strangers could post in a secured channel by way of an open one.
            _ => Some(Distrust::OpenHome),
        }
    }
}

/// Whether an alert that came at `received_ms` in this way may be posted.
fn distrust(kept: &ChannelTrust, trust: &Trust, received_ms: i64) -> Option<Distrust> {
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
            Self::OpenHome => {
                "a rule sent it from an open channel to a secured one: secure the channel with the rule, or open the other"
            }
        };
        Cause::new(DeadLetterReason::Untrusted, words)
    }
}

#[cfg(test)]
mod tests;
