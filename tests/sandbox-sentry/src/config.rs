//! What a sandbox plays, and how strict its limits are.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use crate::hooks::Target;

/// A number of requests in a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// How many.
    pub count: u32,
    /// The time, in whole seconds. Windows begin at multiples of it since 1970.
    pub window: Duration,
}

impl RateLimit {
    /// `count` in each window of so many seconds.
    pub const fn new(count: u32, seconds: u64) -> Self {
        Self { count, window: Duration::from_secs(seconds) }
    }
}

/// The limits of the endpoints. The defaults are Sentry's own
/// (`rate_limits` in `src/sentry/issues/endpoints/group_details.py`, `group_event_details.py`
/// and `src/sentry/core/endpoints/organization_member_index.py`).
#[derive(Debug, Clone)]
pub struct RateLimits {
    /// Reading an issue: 5 in 1 s.
    pub read_issue: RateLimit,
    /// Changing an issue: 5 in 1 s.
    pub update_issue: RateLimit,
    /// Deleting an issue: 5 in 5 s.
    pub delete_issue: RateLimit,
    /// Reading an event: 15 in 1 s.
    pub events: RateLimit,
    /// Members: 40 in 1 s.
    pub members: RateLimit,
    /// All others of one method together: 40 in 1 s.
    pub others: RateLimit,
}

impl Default for RateLimits {
    fn default() -> Self {
        Self {
            read_issue: RateLimit::new(5, 1),
            update_issue: RateLimit::new(5, 1),
            delete_issue: RateLimit::new(5, 5),
            events: RateLimit::new(15, 1),
            members: RateLimit::new(40, 1),
            others: RateLimit::new(40, 1),
        }
    }
}

impl RateLimits {
    /// Limits that a test does not reach by accident.
    pub const fn unlimited() -> Self {
        let plenty = RateLimit::new(100_000, 1);
        Self {
            read_issue: plenty,
            update_issue: plenty,
            delete_issue: plenty,
            events: plenty,
            members: plenty,
            others: plenty,
        }
    }
}

/// The body of a 429. Both are JSON under the content type of HTML.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LimitBody {
    /// `{"detail": "…"}` (`src/sentry/middleware/ratelimit.py`).
    #[default]
    Detail,
    /// A bare JSON string, as older versions send.
    Text,
}

/// Which webhooks tell that an issue was archived.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ArchiveHooks {
    /// `issue.ignored`, as `src/sentry/sentry_apps/utils/webhooks.py` names the actions now.
    #[default]
    Ignored,
    /// `issue.archived`, as the documentation of webhooks names it.
    Archived,
    /// Both, as `src/sentry/receivers/sentry_apps.py` did in 2024.
    Both,
}

/// What a sandbox plays.
#[derive(Debug, Clone)]
pub struct Config {
    pub(crate) addr: SocketAddr,
    pub(crate) links: Option<String>,
    pub(crate) client_secret: String,
    pub(crate) integration: String,
    pub(crate) webhooks: Option<Target>,
    pub(crate) webhook_delay: Duration,
    pub(crate) archive_hooks: ArchiveHooks,
    pub(crate) comment_hooks: bool,
    pub(crate) limits: Option<RateLimits>,
    pub(crate) limit_body: LimitBody,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            addr: (Ipv4Addr::LOCALHOST, 0).into(),
            links: None,
            client_secret: "sandbox-client-secret".to_owned(),
            integration: "Discord".to_owned(),
            webhooks: None,
            webhook_delay: Duration::ZERO,
            archive_hooks: ArchiveHooks::default(),
            comment_hooks: false,
            limits: Some(RateLimits::default()),
            limit_body: LimitBody::default(),
        }
    }
}

impl Config {
    /// Where to listen. The default is a free port on loopback.
    #[must_use]
    pub const fn addr(mut self, addr: SocketAddr) -> Self {
        self.addr = addr;
        self
    }

    /// The base of the links in bodies, such as `https://sentry.io`. The default is the sandbox's own.
    #[must_use]
    pub fn links(mut self, base: impl Into<String>) -> Self {
        self.links = Some(base.into());
        self
    }

    /// The secret that signs webhooks. The default is `sandbox-client-secret`.
    #[must_use]
    pub fn client_secret(mut self, secret: impl Into<String>) -> Self {
        self.client_secret = secret.into();
        self
    }

    /// The name of each organization's internal integration. The default is `Discord`.
    #[must_use]
    pub fn integration(mut self, name: impl Into<String>) -> Self {
        self.integration = name.into();
        self
    }

    /// Where webhooks go. By default they go nowhere, and are listed only.
    #[must_use]
    pub fn webhooks(mut self, target: Target) -> Self {
        self.webhooks = Some(target);
        self
    }

    /// How long after its change a webhook is sent. Sentry takes seconds to minutes; the default is at once.
    #[must_use]
    pub const fn webhook_delay(mut self, delay: Duration) -> Self {
        self.webhook_delay = delay;
        self
    }

    /// Which webhooks tell that an issue was archived. The default is `issue.ignored`.
    #[must_use]
    pub const fn archive_hooks(mut self, hooks: ArchiveHooks) -> Self {
        self.archive_hooks = hooks;
        self
    }

    /// Whether the integration also gets `comment.created`. It does not by default.
    #[must_use]
    pub const fn comment_hooks(mut self, sent: bool) -> Self {
        self.comment_hooks = sent;
        self
    }

    /// Other rate limits than Sentry's.
    #[must_use]
    pub const fn limits(mut self, limits: RateLimits) -> Self {
        self.limits = Some(limits);
        self
    }

    /// No rate limits, and none of their headers, as with a self-hosted Sentry
    /// (`src/sentry/middleware/ratelimit.py`).
    #[must_use]
    pub const fn without_limits(mut self) -> Self {
        self.limits = None;
        self
    }

    /// The body of a 429.
    #[must_use]
    pub const fn limit_body(mut self, body: LimitBody) -> Self {
        self.limit_body = body;
        self
    }
}
