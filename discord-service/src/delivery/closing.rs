//! What is kept of a channel in which Discord does not let the bot post.

use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use shared::ChannelId;

/// The version of what this build writes. Builds before it wrote only why.
const VERSION: u32 = 1;

/// When the next alert is a try, after so many tries in vain.
#[derive(Debug, Clone)]
pub(crate) struct Pauses(pub(crate) Vec<Duration>);

impl Default for Pauses {
    fn default() -> Self {
        Self([1, 2, 5, 15, 60].map(|minutes| Duration::from_secs(60 * minutes)).into())
    }
}

impl Pauses {
    fn after(&self, tries: u32) -> Duration {
        let at = usize::try_from(tries).unwrap_or(usize::MAX);
        self.0.get(at).or(self.0.last()).copied().unwrap_or_default()
    }
}

/// The longest of the default ones.
const LONGEST_MS: i64 = 60 * 60 * 1_000;

/// What keeps the bot from posting, as far as Discord tells.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Access {
    /// The permissions that it lacks, by their names.
    pub missing: Vec<String>,
    /// When a time-out of the bot ends, in milliseconds since 1970.
    pub timed_out_until_ms: Option<i64>,
    /// Discord knows no such channel: it was deleted.
    pub gone: bool,
    /// The channel that a thread belongs to, or the channel's category.
    pub parent: Option<ChannelId>,
}

impl Access {
    /// Whether nothing is in the way.
    pub fn suffices(&self) -> bool {
        self.missing.is_empty() && self.timed_out_until_ms.is_none() && !self.gone
    }

    /// What is in the way and what helps, in a sentence or two.
    fn remedy(&self) -> String {
        match (self.timed_out_until_ms.and_then(crate::render::utc), self.missing.as_slice()) {
            _ if self.gone => {
                "Discord knows no such channel any more: it was deleted. Give Sentry another channel's URL"
                    .to_owned()
            }
            (Some(end), _) => format!("The bot is timed out in this server until {end} UTC. {GOES_ON}"),
            (None, []) => {
                format!("Give the bot View Channel, Send Messages and Embed Links there. {GOES_ON}")
            }
            (None, missing) => format!("Give the bot {} there. {GOES_ON}", missing.join(", ")),
        }
    }
}

const GOES_ON: &str = "It goes on by itself then";

/// A channel that is closed, or that was and whose dead letters follow now.
/// Times are in milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closing {
    v: u32,
    /// Why, and what helps.
    pub why: String,
    /// Discord's words.
    #[serde(default)]
    words: String,
    /// What is in the way and what helps.
    #[serde(default)]
    remedy: String,
    /// It was deleted.
    #[serde(default)]
    pub gone: bool,
    /// Since when; a build before this one did not say.
    #[serde(default)]
    pub since_ms: Option<i64>,
    /// Tries in vain since then.
    #[serde(default)]
    tries: u32,
    /// From when on the next alert is a try.
    #[serde(default)]
    try_ms: i64,
    /// When a time-out of the bot ends.
    #[serde(default)]
    pub timed_out_until_ms: Option<i64>,
    /// The channel of a thread, where it is known.
    #[serde(default)]
    pub(crate) parent: Option<ChannelId>,
    /// It is open again, and these dead letters follow.
    #[serde(default)]
    pub(crate) following: Option<Following>,
}

/// Which dead letters follow, by their sequence in their stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Following {
    /// The next to be looked at.
    pub(crate) next: u64,
    /// The last of them.
    pub(crate) last: u64,
}

impl Closing {
    /// Discord has said no at this time, in these words. `before`: what was known
    /// of the channel.
    pub(crate) fn new(
        words: &str,
        access: &Access,
        before: Option<&Self>,
        now_ms: i64,
        pauses: &Pauses,
    ) -> Self {
        let before = before.filter(|before| before.is_closed());
        let tries = before.map_or(0, |before| before.tries.saturating_add(1));
        let pause = i64::try_from(pauses.after(tries).as_millis()).unwrap_or(i64::MAX);
        let closing = Self {
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
        };
        closing.found(access)
    }

    /// What keeps the bot from posting is this now.
    pub(crate) fn found(self, access: &Access) -> Self {
        let remedy = access.remedy();
        let why = match self.words.as_str() {
            "" => self.why,
            words => format!("Discord does not let the bot post in the channel. {remedy} ({words})"),
        };
        let Access { timed_out_until_ms, gone, parent, .. } = *access;
        Self { why, remedy, gone, timed_out_until_ms, parent: parent.or(self.parent), ..self }
    }

    /// What is in the way and what helps; a build before this one did not say.
    pub fn remedy(&self) -> String {
        match self.remedy.as_str() {
            "" => Access::default().remedy(),
            remedy => remedy.to_owned(),
        }
    }

    /// Discord's words, as far as they are kept by themselves.
    pub fn words(&self) -> &str {
        if self.words.is_empty() { &self.why } else { &self.words }
    }

    /// The channel is open again, and these dead letters follow.
    pub(crate) fn followed_by(self, following: Following) -> Self {
        Self { following: Some(following), ..self }
    }

    /// Reads what this build or one before it wrote.
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

    /// The same, with the next alert as a try.
    pub(crate) fn due(self) -> Self {
        Self { v: VERSION, try_ms: 0, ..self }
    }

    /// As [`Self::read`] reads it.
    pub(crate) fn encode(&self) -> anyhow::Result<Bytes> {
        let value = serde_json::to_vec(self).context("cannot encode that the channel is closed")?;
        Ok(value.into())
    }

    /// Whether Discord says no still, as far as anybody knows.
    pub fn is_closed(&self) -> bool {
        self.following.is_none()
    }

    /// Whether the next alert is a try. Where that is further away than any
    /// pause, the wall clock has stepped.
    pub(crate) fn is_due(&self, now_ms: i64) -> bool {
        !(1..=LONGEST_MS).contains(&self.try_ms.saturating_sub(now_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_are_made_after_1_2_5_15_and_then_every_60_minutes() {
        let (access, pauses) = (Access::default(), Pauses::default());
        let mut closing = Closing::new("no", &access, None, 0, &pauses);
        let mut now_ms = 0;
        for minutes in [1, 2, 5, 15, 60, 60] {
            assert!(!closing.is_due(now_ms + minutes * 60_000 - 1));
            now_ms += minutes * 60_000;
            assert!(closing.is_due(now_ms));
            closing = Closing::new("no", &access, Some(&closing), now_ms, &pauses);
            assert_eq!(closing.since_ms, Some(0));
        }
        let open = Closing { following: Some(Following { next: 1, last: 2 }), ..closing };
        assert!(!Closing::new("no", &access, Some(&open), now_ms, &pauses).is_due(now_ms + 59_999));
        assert!(Closing::new("no", &access, Some(&open), now_ms, &pauses).is_due(now_ms + 60_000));
    }

    #[test]
    fn a_step_of_the_wall_clock_keeps_no_channel_closed_for_longer() {
        let closing = Closing::new("no", &Access::default(), None, 86_400_000, &Pauses::default());
        assert!(closing.is_due(0), "a day back");
        assert!(!closing.is_due(86_400_000 - 8_000), "8 s back");
    }

    #[test]
    fn a_note_of_an_older_build_says_why_and_is_tried_at_once() {
        let closing = Closing::read(b"Missing Access");
        assert_eq!((closing.why.as_str(), closing.since_ms), ("Missing Access", None));
        assert!(closing.is_closed() && closing.is_due(1));
        let newer = Closing::new("no", &Access::default(), Some(&closing), 5, &Pauses::default());
        assert_eq!(Closing::read(&serde_json::to_vec(&newer).expect("JSON")), newer);
        assert_eq!(Closing::read(br#"{"v":9,"why":"so","mood":"calm"}"#).why, "so");
    }

    #[test]
    fn it_says_what_is_in_the_way_now_and_what_helps() {
        let closing = |access: &Access| Closing::new("403", access, None, 0, &Pauses::default());
        let missing = Access { missing: vec!["Send Messages".to_owned()], ..Access::default() };
        let mute = closing(&missing);
        assert_eq!(
            mute.why,
            "Discord does not let the bot post in the channel. Give the bot Send Messages there. It goes on by \
             itself then (403)"
        );
        assert_eq!(mute.remedy(), "Give the bot Send Messages there. It goes on by itself then");
        let timed_out = Access { timed_out_until_ms: Some(1_763_905_862_000), ..missing };
        let words = "timed out in this server until 23-11-2025 13:51:02 UTC";
        let both = mute.found(&timed_out);
        assert!(both.why.contains(words) && both.remedy().contains(words), "{both:?}");
        assert_eq!((both.words(), both.timed_out_until_ms), ("403", timed_out.timed_out_until_ms));
        let gone = both.found(&Access { gone: true, ..timed_out });
        assert!(gone.gone && gone.why.contains("it was deleted") && !gone.remedy().contains("by itself"));
        let unknown = closing(&Access::default());
        assert!(unknown.remedy().contains("View Channel, Send Messages and Embed Links"));
        let old = Closing::read(b"Missing Access").found(&Access::default());
        assert_eq!((old.words(), old.why.as_str()), ("Missing Access", "Missing Access"));
    }
}
