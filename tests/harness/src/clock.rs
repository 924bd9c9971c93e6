//! A wall clock for a process, which jumps when a test says so.

use std::{fs::File, os::unix::fs::FileExt as _, path::PathBuf, process::Command};

use tempfile::TempDir;

/// The wall clock of all processes that start with its variables.
#[derive(Debug)]
pub struct WallClock {
    directory: TempDir,
    step: File,
}

impl WallClock {
    /// Makes a clock with the right time. The C compiler that Rust links with
    /// builds it.
    ///
    /// # Panics
    /// When there is none.
    pub fn new() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let step = File::create(directory.path().join("step")).expect("a file");
        let built = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-o"])
            .arg(directory.path().join("clock.so"))
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/src/clock.c"))
            .status();
        assert!(built.is_ok_and(|status| status.success()), "cc builds a clock");
        let clock = Self { directory, step };
        clock.step(0);
        clock
    }

    /// The variables that make a process use this clock.
    pub fn variables(&self) -> [(&'static str, String); 2] {
        [("LD_PRELOAD", self.file("clock.so")), ("CLOCK_STEP", self.file("step"))]
    }

    /// From now on it is this many seconds ahead.
    ///
    /// # Panics
    /// When the disk is full.
    pub fn step(&self, seconds: i64) {
        self.step.write_all_at(&seconds.to_ne_bytes(), 0).expect("a few bytes are written");
    }

    fn file(&self, name: &str) -> String {
        let path: PathBuf = self.directory.path().join(name);
        path.to_string_lossy().into_owned()
    }
}

impl Default for WallClock {
    fn default() -> Self {
        Self::new()
    }
}
