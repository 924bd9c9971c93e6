//! Requests that cannot be read.

use ingress_service::oracles;

const PATH: &str = "/sentry-bot/channel";
/// Longer targets do not fit into a URL.
const MAX_TARGET: usize = 60_000;

/// Bytes on a connection that actix could not read as a request. An unknown
/// path is answered before any other fault, and the answer repeats nothing of
/// it.
///
/// # Panics
/// When the code under test is wrong.
pub fn head(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (answer, path) = oracles::head(&text);
    // Only before a line feed does a carriage return belong to the line's end.
    let line = match text.trim_start().split_once('\n') {
        Some((line, _)) => line.strip_suffix('\r').unwrap_or(line),
        None => text.trim_start(),
    };
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
    if query.bytes().any(|byte| byte <= b' ' || byte == 0x7f) || !is_query(query) {
        assert_eq!(answer, "validation_failed", "{line:?}");
    } else if query.len() < MAX_TARGET {
        assert_eq!(answer, "broken_head", "{line:?}");
    }
}

/// Whether actix accepts this as a query. It drops what follows a `#`.
fn is_query(query: &str) -> bool {
    let before = query.split('#').next().unwrap_or_default();
    before.is_ascii() && !before.contains(['"', '<', '>'])
}
