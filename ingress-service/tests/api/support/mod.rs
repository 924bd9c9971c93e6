//! What the tests are written with.

pub mod app;
pub mod client;
pub mod program;
pub mod trust;
pub mod verdicts;

pub use app::{Pod, TestApp};
pub use client::{Request, Response};
pub use verdicts::Verdicts;

/// A channel's URL without host.
pub const CHANNEL: &str = "/sentry-bot/channel?id=42";

/// The smallest body that the schema allows.
pub const MINIMAL: &str = r#"{"project":"shop","message":"m","event":{}}"#;

/// A body of `tests/fixtures/legacy`.
pub fn fixture(name: &str) -> String {
    body("legacy", name)
}

/// A body of `tests/fixtures/platform`.
pub fn platform_fixture(name: &str) -> String {
    body("platform", name)
}

/// The names of the bodies in a folder of `tests/fixtures`.
pub fn fixtures(folder: &str) -> Vec<String> {
    let directory = harness::workspace_root().join("tests/fixtures").join(folder);
    let entries = std::fs::read_dir(directory).expect("the fixtures are there");
    let mut names: Vec<_> = entries
        .map(|entry| entry.expect("readable").file_name().into_string().expect("plain names"))
        .filter(|name| name.ends_with(".json"))
        .collect();
    names.sort();
    names
}

/// A body of a folder of `tests/fixtures`.
pub fn body(folder: &str, name: &str) -> String {
    let path = harness::workspace_root().join("tests/fixtures").join(folder).join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
