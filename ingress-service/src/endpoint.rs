//! The one URL path that takes webhooks.

/// As the HTTP contract has it.
pub(crate) const PATH: &str = "/sentry-bot/channel";

/// Whether this is [`PATH`], with or without a slash at its end.
pub(crate) fn is_endpoint(path: &str) -> bool {
    path.strip_suffix('/').unwrap_or(path) == PATH
}
