//! How many connections the operating system allows.

#[cfg(test)]
mod tests;

use rustix::process::{Resource, getrlimit, setrlimit};

/// Files that the process needs besides connections.
const OTHER_FILES: u64 = 128;
/// The most connections to accept. More wait in the kernel.
const MOST: u64 = 8_192;

/// How many connections to accept. First raises the process's limit of open
/// files to what the system allows. Many systems begin at 1,024, for programs
/// that use `select`.
pub(crate) fn accepted() -> usize {
    let mut limit = getrlimit(Resource::Nofile);
    let hard = limit.maximum.or(Some(u64::MAX));
    if limit.current < hard && limit.current.is_some() {
        let raised = rustix::process::Rlimit { current: limit.maximum, ..limit };
        match setrlimit(Resource::Nofile, raised) {
            Ok(()) => limit = raised,
            Err(error) => tracing::warn!(%error, "cannot raise the limit of open files"),
        }
    }
    connections(limit.current)
}

fn connections(files: Option<u64>) -> usize {
    files.map_or(MOST, |files| files.saturating_sub(OTHER_FILES).clamp(16, MOST)) as usize
}
