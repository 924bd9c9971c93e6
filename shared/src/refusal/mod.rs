//! A note of the ingress about a refused request, for the channel's admins to
//! read in `status`. It says why, when and how often, and holds nothing of what
//! was sent. The KV bucket [`crate::wire::REFUSALS`] has the last five of each
//! channel and line, so a flood of one kind pushes out no other.

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use crate::text::cut;

/// The version of the record that this build writes.
const VERSION: u32 = 1;
/// The longest detail that is kept, in characters.
const MAX_DETAIL: usize = 200;

/// Why a request was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Reason {
    /// Its source address may not send.
    Source,
    /// Its query has an unknown, repeated or broken parameter.
    Query,
    /// `mention` is not an id.
    MentionNotAnId,
    /// Its body is absent or not JSON.
    NotJson,
    /// Its body is too long.
    TooLarge,
    /// Its body breaks the schema.
    Schema,
    /// No guild has authorized the channel.
    NotAuthorized,
    /// It had a wrong token, or none where one is needed.
    Token,
    /// It had a wrong signature, or none where one is needed.
    Signature,
    /// The same signed request was stored before, or the same state was the
    /// last one.
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
    /// A reason that only another version of the ingress knows.
    #[serde(other)]
    Other,
}

impl Reason {
    /// Whether the broken rule tells the admin more than the reason does. The
    /// other rules are for the operator: they may name addresses.
    const fn has_detail(self) -> bool {
        matches!(self, Self::Query | Self::Schema | Self::Token | Self::Signature | Self::Repeat)
    }
}

/// Requests for one channel that were refused for the same reason within a few
/// seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    v: u32,
    /// When the last of them came, in milliseconds since 1970.
    pub at_ms: i64,
    /// How many there were.
    pub times: u64,
    /// Why they were refused.
    pub reason: Reason,
    /// The rule that the last of them broke, as the ingress logs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl Refusal {
    /// The note about one request.
    pub fn new(reason: Reason, rule: &str, at_ms: i64) -> Self {
        let detail = (reason.has_detail() && !rule.is_empty()).then(|| cut(rule, MAX_DETAIL));
        Self { v: VERSION, at_ms, times: 1, reason, detail }
    }

    /// The kind of the note, as one token of a subject. It is the reason. The
    /// rule is added where rules are few and each has a remedy.
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

    /// Adds a later note with the same reason.
    pub fn again(&mut self, later: Self) {
        *self = Self { times: self.times.saturating_add(later.times), ..later };
    }

    /// The note as it is written to the bucket.
    pub fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("strings and numbers always serialize")
    }

    /// Reads a note. `None` if it is not one, or if this build does not know
    /// its version.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice::<Self>(bytes).ok().filter(|refusal| refusal.v == VERSION)
    }
}
