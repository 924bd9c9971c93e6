//! Discord's rate limits: a bucket for each endpoint and channel or guild, one
//! for the whole bot, and the ban of bots that ignore them.

use std::{
    collections::{HashMap, VecDeque},
    hash::{DefaultHasher, Hash, Hasher},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use serde::Deserialize;

use crate::config::{Clocks, Limit};

/// What a 429 is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// This bot, this bucket.
    User,
    /// This bot, all buckets.
    Global,
    /// The place itself, for every bot. It does not count towards the ban.
    Shared,
}

impl Scope {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Global => "global",
            Self::Shared => "shared",
        }
    }
}

/// A fixed window: it opens with the first request and counts until it ends.
#[derive(Debug)]
struct Window {
    ends: Instant,
    used: u32,
}

/// The state of a bucket after a request.
#[derive(Debug, Clone)]
pub(crate) struct Figures {
    pub(crate) bucket: String,
    pub(crate) limit: u32,
    pub(crate) remaining: u32,
    pub(crate) reset_after: Duration,
}

impl Figures {
    /// The `X-RateLimit-…` headers.
    pub(crate) fn headers(&self) -> Vec<(&'static str, String)> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        vec![
            ("X-RateLimit-Limit", self.limit.to_string()),
            ("X-RateLimit-Remaining", self.remaining.to_string()),
            ("X-RateLimit-Reset", format!("{:.3}", (now + self.reset_after).as_secs_f64())),
            ("X-RateLimit-Reset-After", format!("{:.3}", self.reset_after.as_secs_f64())),
            ("X-RateLimit-Bucket", self.bucket.clone()),
        ]
    }
}

/// Why a request must wait.
#[derive(Debug, Clone)]
pub(crate) enum Verdict {
    Pass(Figures),
    Wait { figures: Figures, scope: Scope },
}

/// All windows of the bot.
#[derive(Debug, Default)]
pub(crate) struct RateLimits {
    /// Whether a bucket's id names the channel or guild as well.
    per_place: bool,
    buckets: HashMap<(String, String), Window>,
    global: Option<Window>,
    invalid: VecDeque<Instant>,
    banned_until: Option<Instant>,
}

impl RateLimits {
    pub(crate) fn new(per_place: bool) -> Self {
        Self { per_place, ..Self::default() }
    }

    /// Counts a request to the endpoint (its method and template) below the
    /// channel, guild or token `major`.
    pub(crate) fn take(
        &mut self,
        endpoint: &str,
        major: String,
        limit: Limit,
        global: Option<Limit>,
    ) -> Verdict {
        let bucket = if self.per_place { bucket_id(&(endpoint, &major)) } else { bucket_id(&endpoint) };
        if let Some(global) = global
            && let Err(reset_after) = take(&mut self.global, global)
        {
            let figures = Figures { bucket, limit: global.count, remaining: 0, reset_after };
            return Verdict::Wait { figures, scope: Scope::Global };
        }
        let mut window = self.buckets.remove(&(bucket.clone(), major.clone()));
        let taken = take(&mut window, limit);
        let figures = |remaining, reset_after| {
            let bucket = bucket.clone();
            Figures { bucket, limit: limit.count, remaining, reset_after }
        };
        let verdict = match taken {
            Ok((remaining, reset_after)) => Verdict::Pass(figures(remaining, reset_after)),
            Err(reset_after) => Verdict::Wait { figures: figures(0, reset_after), scope: Scope::User },
        };
        if let Some(window) = window {
            self.buckets.insert((bucket, major), window);
        }
        verdict
    }

    /// How long the address is still banned.
    pub(crate) fn ban_left(&mut self) -> Option<Duration> {
        let left = self.banned_until?.checked_duration_since(Instant::now());
        if left.is_none() {
            self.banned_until = None;
        }
        left
    }

    /// Counts an answer of 401, 403 or 429 towards the ban. Returns whether the
    /// ban begins now.
    pub(crate) fn count_invalid(&mut self, clocks: &Clocks) -> bool {
        let now = Instant::now();
        self.invalid.push_back(now);
        let limit = clocks.invalid_requests;
        while self.invalid.front().is_some_and(|at| now.duration_since(*at) > limit.period) {
            self.invalid.pop_front();
        }
        let banned = self.invalid.len() >= limit.count as usize;
        if banned {
            self.invalid.clear();
            self.banned_until = Some(now + clocks.ban);
        }
        banned
    }
}

/// Takes one request from the window, and opens a new one if it has ended.
/// Returns the rest and the time to its end, or only that time if nothing was
/// left.
fn take(slot: &mut Option<Window>, limit: Limit) -> Result<(u32, Duration), Duration> {
    let now = Instant::now();
    let ended = slot.as_ref().is_none_or(|window| window.ends <= now);
    if ended {
        *slot = Some(Window { ends: now + limit.period, used: 0 });
    }
    let window = slot.get_or_insert(Window { ends: now + limit.period, used: 0 });
    let left = window.ends.duration_since(now);
    if window.used >= limit.count {
        return Err(left);
    }
    window.used += 1;
    Ok((limit.count - window.used, left))
}

/// An opaque id of the bucket.
fn bucket_id(of: &impl Hash) -> String {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    let first = hasher.finish();
    first.hash(&mut hasher);
    format!("{first:016x}{:016x}", hasher.finish())
}
