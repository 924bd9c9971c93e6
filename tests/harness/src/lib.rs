//! The base of the tests: real servers and processes on free ports, in their
//! own directories, stopped by their own handles.

#![allow(clippy::panic, reason = "a test that cannot start what it stands on ends there, with the reason")]

pub mod authority;
pub mod browser;
pub mod clock;
pub mod figures;
pub mod firestore;
pub mod nats;
pub mod process;
pub mod python;
pub mod sentry;
pub mod service;
pub mod wait;

use std::{
    io::Write as _,
    net::TcpListener,
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
};

/// The root of the workspace.
pub fn workspace_root() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).map(PathBuf::from).unwrap_or(here)
}

/// A free TCP port on loopback. It is below the ports that the kernel gives out
/// (from 32768 on Linux). So no other test's server gets it by chance before
/// ours binds it, or between a kill and a restart.
pub fn free_port() -> u16 {
    const LOWEST: u32 = 10_000;
    const COUNT: u32 = 22_000;
    static TAKEN: AtomicU32 = AtomicU32::new(0);
    // Test processes that run side by side begin far from each other.
    let start = std::process::id().wrapping_mul(7_919);
    let port = std::iter::repeat_with(|| start.wrapping_add(TAKEN.fetch_add(1, Ordering::Relaxed)))
        .take(COUNT as usize)
        .filter_map(|number| u16::try_from(LOWEST + number % COUNT).ok())
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok());
    port.expect("loopback has a free port")
}

/// Prints that the running test cannot run on this machine. The line goes to
/// the terminal, although cargo captures output, and `make test` counts it.
///
/// # Panics
/// In CI, where nothing may be missing.
pub fn skip(why: &str) {
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    assert!(std::env::var_os("CI").is_none(), "{test} cannot run: {why}");
    // A failure to say so must not fail the test.
    let _ = writeln!(std::io::stderr(), "SKIPPED: {test}: {why}");
}
