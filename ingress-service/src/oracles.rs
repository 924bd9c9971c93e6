//! For the fuzz targets of tests/fuzz: what the code says beside what a plain,
//! slow telling of the same rule says. Not a part of the service.

use serde_json::Value;

/// What is kept of a legacy webhook's body, and what a plain reading keeps;
/// `None` where a plain reading cannot tell.
pub fn prune(body: &[u8]) -> Option<(Option<Value>, Value)> {
    crate::payload::prune::oracle(body)
}

/// How the rules of trust judge a request and a channel that the bytes choose,
/// and how the table of docs/ARCHITECTURE.md does.
pub fn trust(bytes: &[u8]) -> (&'static str, &'static str) {
    crate::trust::oracle::oracle(bytes)
}

/// How a request is answered that could not be read, by name, and the path that
/// is told of it.
pub fn head(text: &str) -> (&'static str, &'static str) {
    let (answer, path, _) = crate::connection::unreadable_request::misread(text);
    (answer.name(), path)
}
