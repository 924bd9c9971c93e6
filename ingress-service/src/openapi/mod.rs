//! The OpenAPI document of the HTTP contract, docs/openapi.json. The admin
//! listener serves it.

#[cfg(test)]
mod tests;

use shared::admin::JsonDocument;

/// The tests compare it with every answer.
pub(crate) const DOCUMENT: JsonDocument =
    JsonDocument { path: "/openapi.json", json: include_str!("../../../docs/openapi.json") };
