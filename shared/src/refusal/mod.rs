//! What the ingress notes about a request for a channel that it did not take,
//! for that channel's admins to read in `status`: why, when and how often, and
//! nothing of what was sent. The notes are in the KV bucket
//! [`crate::wire::REFUSALS`], the last five of each channel and line: a flood of
//! one kind pushes out no other.

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use crate::text::cut;

/// The version of the record that this build writes.
const VERSION: u32 = 1;
/// The longest detail that is kept, in characters.
const MAX_DETAIL: usize = 200;

/// Why a request was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Reason {
    /// Its source address is not let in.
    Source,
    /// Its query has something unknown, repeated or broken in it.
    Query,
    /// `mention` is not an id.
    MentionNotAnId,
    /// Its body is absent or not JSON.
    NotJson,
    /// Its body is too long.
    TooLarge,
    /// Its body is not what Sentry is known to send.
    Schema,
    /// No guild has authorized the channel.
    NotAuthorized,
    /// It had no right token where one is needed, or a wrong one.
    Token,
    /// It had no right signature where one is needed, or a wrong one.
    Signature,
    /// The same signed request was taken before, or the same state was the last one.
    Repeat,
    /// Discord does not know the mentioned user.
    UserUnknown,
    /// The mentioned user has no project.
    UserWithoutProject,
    /// The mentioned user has another project.
    UserOnOtherProject,
    /// The queue could not store it.
    QueueUnavailable,
    /// Too many alerts waited for the channel.
    BacklogFull,
    /// A fault of the ingress.
    Internal,
    /// One that another version of the ingress knows.
    #[serde(other)]
    Other,
}

impl Reason {
    /// Whether the rule that was broken tells the admin more than the reason
    /// does. The rule of the others is for the operator: it may name addresses.
    const fn has_detail(self) -> bool {
        matches!(self, Self::Query | Self::Schema | Self::Token | Self::Signature | Self::Repeat)
    }
}

/// Requests for one channel that were not taken for the same reason within a
/// few seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    v: u32,
    /// When the last of them came, in milliseconds since 1970.
    pub at_ms: i64,
    /// How many they were.
    pub times: u64,
    /// Why they were not taken.
    pub reason: Reason,
    /// The rule that the last of them broke, in the ingress's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl Refusal {
    /// One request.
    pub fn new(reason: Reason, rule: &str, at_ms: i64) -> Self {
        let detail = (reason.has_detail() && !rule.is_empty()).then(|| cut(rule, MAX_DETAIL));
        Self { v: VERSION, at_ms, times: 1, reason, detail }
    }

    /// What tells it from notes of another kind, as one token of a subject: the
    /// reason, and the words where there are few of them and each has a remedy.
    pub fn line(&self) -> String {
        let reason: &str = self.reason.into();
        match (self.reason, &self.detail) {
            (Reason::Token | Reason::Signature, Some(detail)) => {
                let words = detail.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' });
                format!("{reason}-{}", words.collect::<String>())
            }
            _ => reason.to_owned(),
        }
    }

    /// Counts another one for the same reason that came later.
    pub fn again(&mut self, later: Self) {
        *self = Self { times: self.times.saturating_add(later.times), ..later };
    }

    /// In the form of the bucket.
    pub fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("strings and numbers always serialize")
    }

    /// Reads a note; `None` where it is not one, or of a version that this build
    /// does not know.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice::<Self>(bytes).ok().filter(|refusal| refusal.v == VERSION)
    }
}
