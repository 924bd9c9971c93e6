//! What the tests stand on: real servers and processes on free ports in their
//! own directories, stopped by their own handles.

#![allow(clippy::panic, reason = "a test that cannot start what it stands on ends there, with the reason")]

pub mod firestore;
pub mod nats;
pub mod service;
pub mod wait;

use std::{io::Write as _, path::PathBuf};

/// The root of the workspace.
pub fn workspace_root() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).map(PathBuf::from).unwrap_or(here)
}

/// A TCP port on loopback that was free a moment ago.
pub fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("loopback has a free port");
    listener.local_addr().expect("a bound listener has an address").port()
}

/// Says that the running test cannot run on this machine: on the terminal, past
/// what cargo captures. `make test` counts such lines.
///
/// # Panics
/// In CI, where nothing may be missing.
pub fn skip(why: &str) {
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    assert!(std::env::var_os("CI").is_none(), "{test} cannot run: {why}");
    // A failure to say so must not fail the test.
    let _ = writeln!(std::io::stderr(), "SKIPPED: {test}: {why}");
}
