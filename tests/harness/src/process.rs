//! Sends signals to processes, and measures what they have used.

use std::{
    path::PathBuf,
    process::Command,
    time::{Duration, Instant},
};

/// Sends a signal, such as `TERM`, `STOP` or `CONT`. After `STOP` it waits
/// until the process has stopped: on a busy machine its threads go on for a
/// while after `kill` has returned.
///
/// # Panics
/// When there is no such process, or it does not stop.
pub fn signal(process: u32, name: &str) {
    let status = Command::new("kill").args([format!("-{name}"), process.to_string()]).status();
    assert!(status.is_ok_and(|status| status.success()), "kill -{name} {process} failed");
    let start = Instant::now();
    while name == "STOP" && !threads(process, "stat").iter().all(|stat| is_stopped(stat)) {
        assert!(start.elapsed() < Duration::from_secs(15), "{process} does not stop");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// The processor time that a process has used, its own and the kernel's for it.
pub fn cpu(process: u32) -> Duration {
    let times = threads(process, "schedstat");
    let nanoseconds = times.iter().filter_map(|times| times.split_whitespace().next()?.parse::<u64>().ok());
    Duration::from_nanos(nanoseconds.sum())
}

/// The memory that a process has, in bytes, where the system tells.
pub fn memory(process: u32) -> Option<u64> {
    let statm = std::fs::read_to_string(format!("/proc/{process}/statm")).ok()?;
    let pages: u64 = statm.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * 4096)
}

/// The most memory that a process ever had, in bytes, where the system tells.
pub fn peak(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = peak.split_whitespace().next()?.parse().ok()?;
    Some(kibibytes << 10)
}

/// A file of `/proc` for each thread of a process. One that ends meanwhile has none.
fn threads(process: u32, file: &str) -> Vec<String> {
    let folder = PathBuf::from(format!("/proc/{process}/task"));
    let threads = std::fs::read_dir(folder).expect("the process runs on Linux");
    threads.flatten().filter_map(|thread| std::fs::read_to_string(thread.path().join(file)).ok()).collect()
}

/// Whether a thread's `stat` says so: its state follows the name, which is in brackets.
fn is_stopped(stat: &str) -> bool {
    stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with(['T', 't']))
}
