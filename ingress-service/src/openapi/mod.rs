//! The OpenAPI document of the HTTP contract: docs/openapi.json, which the admin
//! listener serves.

#[cfg(test)]
mod tests;

use shared::admin::JsonDocument;

/// The document. The tests below keep it true.
pub(crate) const DOCUMENT: JsonDocument =
    JsonDocument { path: "/openapi.json", json: include_str!("../../../docs/openapi.json") };
