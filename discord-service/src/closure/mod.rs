//! Closed channels: those in which Discord does not let the bot post. The
//! bucket [`shared::wire::LANES`] keeps a note of each, so that its alerts cost
//! Discord no further request.

mod access;
mod stored;

pub(crate) use self::stored::{all, key};
pub use self::{
    access::Access,
    stored::{lift, of},
};

use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use shared::ChannelId;

/// The version of the record. Older builds wrote only why.
const VERSION: u32 = 1;

/// The pauses between tries: one after each try in vain.
#[derive(Debug, Clone)]
pub(crate) struct Pauses(pub(crate) Vec<Duration>);

impl Default for Pauses {
    fn default() -> Self {
        Self([1, 2, 5, 15, LONGEST_MINUTES].map(|minutes| Duration::from_secs(60 * minutes)).into())
    }
}

impl Pauses {
    fn after(&self, tries: u32) -> Duration {
        let at = usize::try_from(tries).unwrap_or(usize::MAX);
        self.0.get(at).or(self.0.last()).copied().unwrap_or_default()
    }
}

/// The longest default pause.
const LONGEST_MINUTES: u64 = 60;
const LONGEST_MS: i64 = LONGEST_MINUTES.cast_signed() * 60 * 1_000;

/// A channel that is closed, or was closed and whose dead letters follow now. Times
/// are in milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closure {
    v: u32,
    /// Why, and what helps.
    pub why: String,
    /// Discord's words.
    #[serde(default)]
    words: String,
    /// What is in the way and what helps.
    #[serde(default)]
    remedy: String,
    /// Whether the channel was deleted.
    #[serde(default)]
    pub gone: bool,
    /// Since when; older builds did not say.
    #[serde(default)]
    pub since_ms: Option<i64>,
    /// Tries in vain since then.
    #[serde(default)]
    tries: u32,
    /// From this time on, the next alert is a try.
    #[serde(default)]
    try_ms: i64,
    /// When a time-out of the bot ends.
    #[serde(default)]
    pub timed_out_until_ms: Option<i64>,
    /// The channel of a thread, or the category of a channel, if known.
    #[serde(default)]
    pub(crate) parent: Option<ChannelId>,
    /// Set once the channel is open again: these dead letters follow.
    #[serde(default)]
    pub(crate) following: Option<Following>,
}

/// Which dead letters follow, by their sequence in their stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Following {
    /// The next to look at.
    pub(crate) next: u64,
    /// The last of them.
    pub(crate) last: u64,
}

impl Closure {
    /// Discord has said no at this time, in these words. `before` is what was known
    /// of the channel. Add what keeps the bot from posting with [`Self::found`].
    pub(crate) fn new(words: &str, before: Option<&Self>, now_ms: i64, pauses: &Pauses) -> Self {
        let before = before.filter(|before| before.is_closed());
        let tries = before.map_or(0, |before| before.tries.saturating_add(1));
        let pause = i64::try_from(pauses.after(tries).as_millis()).unwrap_or(i64::MAX);
        Self {
            v: VERSION,
            why: String::new(),
            words: words.to_owned(),
            remedy: String::new(),
            gone: false,
            since_ms: before.map_or(Some(now_ms), |before| before.since_ms),
            tries,
            try_ms: now_ms.saturating_add(pause),
            timed_out_until_ms: None,
            parent: None,
            following: None,
        }
    }

    /// The same, with what keeps the bot from posting now.
    pub(crate) fn found(self, access: &Access) -> Self {
        let remedy = access.remedy();
        let why = match self.words.as_str() {
            "" => self.why,
            words => format!("Discord does not let the bot post in the channel. {remedy} ({words})"),
        };
        let Access { timed_out_until_ms, gone, parent, .. } = *access;
        Self { why, remedy, gone, timed_out_until_ms, parent: parent.or(self.parent), ..self }
    }

    /// What is in the way and what helps; older builds did not say.
    pub fn remedy(&self) -> String {
        match self.remedy.as_str() {
            "" => Access::default().remedy(),
            remedy => remedy.to_owned(),
        }
    }

    /// Discord's words.
    pub fn words(&self) -> &str {
        if self.words.is_empty() { &self.why } else { &self.words }
    }

    /// The same of a channel that is open again: these dead letters follow.
    pub(crate) fn followed_by(self, following: Following) -> Self {
        Self { following: Some(following), ..self }
    }

    /// Reads a record of this build or of an older one.
    pub(crate) fn read(value: &[u8]) -> Self {
        serde_json::from_slice(value).unwrap_or_else(|_| Self {
            v: 0,
            why: String::from_utf8_lossy(value).into_owned(),
            words: String::new(),
            remedy: String::new(),
            gone: false,
            since_ms: None,
            tries: 0,
            try_ms: 0,
            timed_out_until_ms: None,
            parent: None,
            following: None,
        })
    }

    /// The same, but the next alert is a try.
    pub(crate) fn due(self) -> Self {
        Self { v: VERSION, try_ms: 0, ..self }
    }

    /// In the form that [`Self::read`] reads.
    pub(crate) fn encode(&self) -> anyhow::Result<Bytes> {
        let value = serde_json::to_vec(self).context("cannot encode that the channel is closed")?;
        Ok(value.into())
    }

    /// Whether Discord still says no, as far as the bot knows.
    pub fn is_closed(&self) -> bool {
        self.following.is_none()
    }

    /// Whether the next alert is a try. If the time for it is further away than any
    /// pause, the wall clock has stepped.
    pub(crate) fn is_due(&self, now_ms: i64) -> bool {
        !(1..=LONGEST_MS).contains(&self.try_ms.saturating_sub(now_ms))
    }
}

#[cfg(test)]
mod tests;
