//! Requests that cannot be read.

use ingress_service::oracles;

const PATH: &str = "/sentry-bot/channel";
/// Longer targets are too long for a URL.
const MAX_TARGET: usize = 60_000;

/// What came over a connection of which actix made no request. Whose path it is
/// comes before whatever else is wrong with it, and nothing of it is told.
///
/// # Panics
/// When the code under test is wrong.
pub fn head(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (answer, path) = oracles::head(&text);
    let line = text.trim_start().split('\n').next().unwrap_or_default();
    let line = line.strip_suffix('\r').unwrap_or(line);
    let rest = line.strip_prefix("POST ").and_then(|rest| rest.strip_prefix(PATH));
    let rest = rest.map(|rest| rest.strip_prefix('/').unwrap_or(rest));
    let Some(rest) = rest.filter(|rest| rest.is_empty() || rest.starts_with([' ', '?'])) else {
        assert_eq!((answer, path), ("access_forbidden", ""), "{line:?}");
        return;
    };
    assert_eq!(path, PATH, "{line:?}");
    let Some((query, _version)) = rest.rsplit_once(' ') else {
        return assert_eq!(answer, "validation_failed", "{line:?}");
    };
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"?&=%-._~/".contains(&byte);
    if query.bytes().any(|byte| byte <= b' ' || byte == 0x7f || b"<>".contains(&byte)) {
        assert_eq!(answer, "validation_failed", "{line:?}");
    } else if query.bytes().all(is_plain) && query.len() < MAX_TARGET {
        assert_eq!(answer, "broken_head", "{line:?}");
    }
}
