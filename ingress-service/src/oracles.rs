//! For the fuzz targets of tests/fuzz: the result of the code beside that of a
//! plain, slow version of the same rule.

use serde_json::Value;

use crate::payload::{
    other_senders::BODY,
    prune::{KEPT_ITEMS, Wanted},
};

/// What the code keeps of a body without a resource, and what a plain reading
/// keeps. `None` where a plain reading cannot tell.
pub fn prune(body: &[u8]) -> Option<(Option<Value>, Value)> {
    let plain: Value = serde_json::from_slice(body).ok()?;
    Some((crate::payload::prune::prune(body, BODY).ok(), keep(plain, BODY)))
}

fn keep(value: Value, wanted: &'static Wanted) -> Value {
    match value {
        Value::Array(items) => {
            let first = items.len().saturating_sub(KEPT_ITEMS);
            let kept =
                wanted.items.map(|wanted| items.into_iter().skip(first).map(|item| keep(item, wanted)));
            Value::Array(kept.map(Iterator::collect).unwrap_or_default())
        }
        Value::Object(fields) => {
            let kept = fields.into_iter().filter_map(|(name, value)| {
                let (_, wanted) = wanted.field(&name)?;
                Some((name, keep(value, wanted)))
            });
            Value::Object(kept.collect())
        }
        scalar => scalar,
    }
}

/// The bytes choose a request and a channel. Returns how the rules of trust
/// judge them, and how the table of docs/ARCHITECTURE.md does.
pub fn trust(bytes: &[u8]) -> (&'static str, &'static str) {
    crate::trust::oracle::oracle(bytes)
}

/// For a request that could not be read: the name of its answer, and the path
/// in the log.
pub fn head(text: &str) -> (&'static str, &'static str) {
    let (answer, path, _) = crate::connection::unreadable_request::misread(text);
    (answer.name(), path)
}
