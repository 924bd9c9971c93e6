//! The real binaries as processes of their own.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

use tempfile::TempDir;

use crate::{
    free_port, process,
    wait::{SOON, wait_for},
};

/// A running service. It is killed when dropped, and its log is shown when the
/// test fails.
#[derive(Debug)]
pub struct Service {
    name: &'static str,
    variables: Vec<(String, String)>,
    admin_port: u16,
    directory: TempDir,
    child: Child,
}

impl Service {
    /// Starts the binary with these variables, PATH and an admin address on a
    /// free port, but no other variable of the test. It may not be ready yet.
    pub fn start(name: &'static str, variables: &[(&str, &str)]) -> Self {
        Self::start_with_admin(free_port(), name, variables)
    }

    /// The same with its admin address on this port.
    pub fn start_with_admin(admin_port: u16, name: &'static str, variables: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let mut variables: Vec<(String, String)> =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        variables.push(("ADMIN_ADDR".to_owned(), format!("127.0.0.1:{admin_port}")));
        // A test asks nobody on the internet.
        if name == "discord-service" && !variables.iter().any(|(name, _)| name == "SENTRY_IP_RANGES_URL") {
            variables.push(("SENTRY_IP_RANGES_URL".to_owned(), "off".to_owned()));
        }
        let child = spawn(name, &variables, &directory.path().join("log"));
        Self { name, variables, admin_port, directory, child }
    }

    /// Ends it with SIGKILL, as a crash would.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Starts it again as before. Its log goes on.
    pub fn restart(&mut self) {
        self.kill();
        self.child = spawn(self.name, &self.variables, &self.directory.path().join("log"));
    }

    /// The same with another value of this variable.
    pub fn restart_with(&mut self, name: &str, value: &str) {
        self.variables.push((name.to_owned(), value.to_owned()));
        self.restart();
    }

    /// Sends a signal, such as `TERM`, `STOP` or `CONT`.
    pub fn signal(&self, signal: &str) {
        process::signal(self.child.id(), signal);
    }

    /// Waits until the process has ended by itself.
    pub async fn ended(&mut self, limit: Duration) -> ExitStatus {
        let child = std::sync::Mutex::new(&mut self.child);
        wait_for("the process ends", limit, || async {
            child.lock().expect("no panic while waiting").try_wait().expect("the process can be waited for")
        })
        .await
    }

    /// The base of its admin listener.
    pub fn admin(&self) -> String {
        format!("http://127.0.0.1:{}", self.admin_port)
    }

    /// The status of `/readyz`, if it answers.
    pub async fn readyz(&self) -> Option<u16> {
        let answer = reqwest::get(format!("{}/readyz", self.admin())).await.ok()?;
        Some(answer.status().as_u16())
    }

    /// Waits until it says that it is ready.
    pub async fn ready(&self) {
        let what = format!("{} is ready", self.name);
        wait_for(&what, SOON, || async { (self.readyz().await? == 200).then_some(()) }).await;
    }

    /// The value of a metric without labels, or the sum over all its labels.
    pub async fn metric(&self, name: &str) -> f64 {
        let text = reqwest::get(format!("{}/metrics", self.admin()))
            .await
            .expect("the admin listener answers")
            .text()
            .await
            .expect("metrics are text");
        let lines = text
            .lines()
            .filter(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with([' ', '{'])));
        lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
    }

    /// The process's id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The memory that it has, in bytes, where the system tells.
    pub fn memory(&self) -> Option<u64> {
        process::memory(self.child.id())
    }

    /// The processor time that it has used.
    pub fn cpu(&self) -> Duration {
        process::cpu(self.child.id())
    }

    /// All that it logged so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("--- log of {} ---\n{}", self.name, self.log());
        }
    }
}

fn spawn(name: &str, variables: &[(String, String)], log: &Path) -> Child {
    let log = File::options().create(true).append(true).open(log).expect("a log file");
    Command::new(binary(name))
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(log.try_clone().expect("a log file"))
        .stderr(log)
        .spawn()
        .expect("the binary starts: run `cargo build --workspace`")
}

/// The binary beside the test's own: `target/<profile>/deps/<test>`.
pub fn binary(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its own path");
    let profile = test.ancestors().nth(2).expect("tests live in target/<profile>/deps");
    profile.join(name)
}
