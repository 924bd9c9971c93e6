//! What the tests are written with.

pub mod app;
pub mod client;
pub mod verdicts;

pub use app::TestApp;
pub use client::{Request, Response};
pub use verdicts::Verdicts;

/// A channel's URL without host.
pub const CHANNEL: &str = "/sentry-bot/channel?id=42";

/// The smallest body that the schema allows.
pub const MINIMAL: &str = r#"{"project":"shop","message":"m","event":{}}"#;

/// A body of `tests/fixtures/legacy`.
pub fn fixture(name: &str) -> String {
    let path = harness::workspace_root().join("tests/fixtures/legacy").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
