//! What a sandbox plays, and how fast its clocks run.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use crate::{demo::Services, world::guild::User};

/// A number of requests in a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// How many.
    pub count: u32,
    /// The time.
    pub period: Duration,
}

impl Limit {
    /// `count` per `period`.
    pub const fn new(count: u32, period: Duration) -> Self {
        Self { count, period }
    }
}

/// Discord's clocks and figures. The defaults are Discord's own, as far as they
/// are documented or were observed. A test may make them faster.
#[derive(Debug, Clone)]
pub struct Clocks {
    /// Posts into one channel: 5 per 5 s.
    pub channel: Limit,
    /// Edits of old messages in one channel, besides the bucket: 3 per 20 s.
    /// Discord says only that there is such a limit (code 30046).
    pub old_edits: Limit,
    /// The age from which messages are old: 1 h.
    pub old_message: Duration,
    /// Every other bucket: 50 per 1 s.
    pub others: Limit,
    /// All requests of the bot except answers to interactions: 50 per 1 s.
    pub global: Limit,
    /// 401, 403 and 429 answers before the address is banned: 10,000 in 10 min.
    pub invalid_requests: Limit,
    /// How long the ban lasts: 1 h.
    pub ban: Duration,
    /// How long a nonce is remembered. Discord says "the past few minutes": 3 min.
    pub nonce_window: Duration,
    /// Time for the first answer to an interaction: 3 s.
    pub interaction_deadline: Duration,
    /// Time for all later answers: 15 min.
    pub interaction_lifetime: Duration,
    /// Heartbeat interval in HELLO: 41.25 s.
    pub heartbeat: Duration,
    /// The window in which `max_concurrency` identifies are accepted: 5 s.
    pub identify_window: Duration,
    /// The time in which the day's identifies may be used: 24 h from the first.
    pub identify_day: Duration,
    /// How long a lost session can be resumed. Discord says "a few minutes": 3 min.
    pub resume_window: Duration,
}

impl Default for Clocks {
    fn default() -> Self {
        let second = Duration::from_secs(1);
        Self {
            channel: Limit::new(5, 5 * second),
            old_edits: Limit::new(3, 20 * second),
            old_message: 3600 * second,
            others: Limit::new(50, second),
            global: Limit::new(50, second),
            invalid_requests: Limit::new(10_000, 600 * second),
            ban: 3600 * second,
            nonce_window: 180 * second,
            interaction_deadline: 3 * second,
            interaction_lifetime: 900 * second,
            heartbeat: Duration::from_millis(41_250),
            identify_window: 5 * second,
            identify_day: 24 * 3600 * second,
            resume_window: 180 * second,
        }
    }
}

/// What a sandbox plays.
#[derive(Debug, Clone)]
pub struct Config {
    pub(crate) addr: SocketAddr,
    pub(crate) token: String,
    pub(crate) bot: User,
    pub(crate) message_content: bool,
    pub(crate) shards: u32,
    pub(crate) max_concurrency: u32,
    pub(crate) identifies_a_day: u32,
    pub(crate) events_kept: usize,
    pub(crate) bucket_per_channel: bool,
    pub(crate) clocks: Clocks,
    pub(crate) services: Services,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            addr: (Ipv4Addr::LOCALHOST, 0).into(),
            token: "sandbox-token".to_owned(),
            bot: User::bot("Sentry Bot"),
            message_content: true,
            shards: 1,
            max_concurrency: 1,
            identifies_a_day: 1000,
            events_kept: 10_000,
            bucket_per_channel: false,
            clocks: Clocks::default(),
            services: Services::default(),
        }
    }
}

impl Config {
    /// Where to listen. The default is a free port on loopback.
    #[must_use]
    pub fn addr(mut self, addr: SocketAddr) -> Self {
        self.addr = addr;
        self
    }

    /// The bot's token. The default is `sandbox-token`.
    #[must_use]
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = token.into();
        self
    }

    /// The bot's own user. The default is called `Sentry Bot`.
    #[must_use]
    pub fn bot(mut self, bot: User) -> Self {
        self.bot = bot;
        self
    }

    /// Whether the application was granted the privileged MESSAGE_CONTENT
    /// intent. It is by default.
    #[must_use]
    pub const fn message_content(mut self, granted: bool) -> Self {
        self.message_content = granted;
        self
    }

    /// The number of shards that `GET /gateway/bot` recommends: 1.
    #[must_use]
    pub const fn shards(mut self, shards: u32) -> Self {
        self.shards = shards;
        self
    }

    /// How many shards may identify at once: 1.
    #[must_use]
    pub const fn max_concurrency(mut self, shards: u32) -> Self {
        self.max_concurrency = shards;
        self
    }

    /// How many identifies the bot may use in a day, over all shards: 1000. One
    /// more ends its sessions and resets its token.
    #[must_use]
    pub const fn identifies_a_day(mut self, count: u32) -> Self {
        self.identifies_a_day = count;
        self
    }

    /// How many events a session keeps for a resume: 10,000. Discord does not say.
    #[must_use]
    pub const fn events_kept(mut self, count: usize) -> Self {
        self.events_kept = count;
        self
    }

    /// Whether the buckets of one endpoint have another id in each channel or
    /// guild. They share one by default, and may differ at Discord.
    #[must_use]
    pub const fn bucket_per_channel(mut self, differ: bool) -> Self {
        self.bucket_per_channel = differ;
        self
    }

    /// Other figures than Discord's.
    #[must_use]
    pub fn clocks(mut self, change: impl FnOnce(&mut Clocks)) -> Self {
        change(&mut self.clocks);
        self
    }

    /// The bot that runs beside it, for the page. By default there is none.
    #[must_use]
    pub fn services(mut self, services: Services) -> Self {
        self.services = services;
        self
    }
}
