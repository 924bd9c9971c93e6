//! Google's own Firestore emulator, which comes with the Google Cloud SDK.

use std::{
    io::{BufRead as _, BufReader},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::{free_port, process, skip};

/// Starts the emulator and prints its process id. Ends it when this process
/// ends in any way, because then the pipe on standard input closes.
const LEASH: &str = r#""$@" & echo $!; read -r _; kill -9 $!"#;

/// It takes 2 to 4 seconds, and longer on a busy machine.
const START_LIMIT: Duration = Duration::from_secs(60);

/// An emulator process, killed when dropped.
#[derive(Debug)]
pub struct FirestoreEmulator {
    port: u16,
    /// The shell that holds the leash. The emulator is in its process group.
    leash: Child,
    emulator: u32,
    /// What it says, for when it does not start.
    log: tempfile::NamedTempFile,
}

impl FirestoreEmulator {
    /// Starts one and waits until it answers. `None` if this machine has no
    /// emulator, and a line says that the test is skipped.
    ///
    /// # Panics
    /// When it does not start, and in CI also when it is not installed.
    pub async fn start() -> Option<Self> {
        Some(Self::launch(&installed()?).await)
    }

    async fn launch(jar: &Path) -> Self {
        let port = free_port();
        let log = tempfile::NamedTempFile::new().expect("a log file");
        let output = || log.reopen().expect("the log file is there");
        let mut leash = Command::new("sh")
            .args(["-c", LEASH, "emulator", "java"])
            // It is small and lives shortly, so a quick start counts most.
            .args(["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx256m", "-Duser.language=en", "-cp"])
            .arg(jar)
            .arg("com.google.cloud.datastore.emulator.firestore.CloudFirestore")
            .args(["--host=127.0.0.1", &format!("--port={port}")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(output())
            .process_group(0)
            .spawn()
            .expect("sh starts");
        let mut lines = BufReader::new(leash.stdout.take().expect("standard output is piped")).lines();
        let emulator = lines.next().and_then(Result::ok).and_then(|line| line.parse().ok());
        let emulator = emulator.expect("the shell prints the process id");
        // Goes on reading, because the emulator would block on a full pipe.
        std::thread::spawn(move || lines.for_each(drop));
        let started = Self { port, leash, emulator, log };
        started.wait_until_up().await;
        started.warm_up().await;
        started
    }

    /// One for all tests of this process. A test that has to stop it starts its
    /// own.
    pub async fn shared() -> Option<&'static Self> {
        static SHARED: OnceCell<FirestoreEmulator> = OnceCell::const_new();
        let jar = installed()?;
        Some(SHARED.get_or_init(|| Self::launch(&jar)).await)
    }

    async fn wait_until_up(&self) {
        let url = format!("http://{}/", self.host());
        let start = Instant::now();
        while !reqwest::get(&url).await.is_ok_and(|answer| answer.status().is_success()) {
            let log = || std::fs::read_to_string(self.log.path()).unwrap_or_default();
            assert!(start.elapsed() < START_LIMIT, "the Firestore emulator does not answer:\n{}", log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Asks until it answers quickly. Its first answers may take seconds on a
    /// busy machine, longer than the service waits for its store.
    async fn warm_up(&self) {
        let (database, begin) = (self.project(), Instant::now());
        loop {
            let start = Instant::now();
            database.write("warm/up", json!({})).await;
            database.read("warm/up").await;
            if start.elapsed() < Duration::from_millis(100) || begin.elapsed() > START_LIMIT {
                return database.wipe().await;
            }
        }
    }

    /// `host:port`, as `FIRESTORE_EMULATOR_HOST` takes it.
    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// A project that no other test of this process uses: an empty database.
    pub fn project(&self) -> FirestoreProject {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("demo-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        FirestoreProject { host: self.host(), name }
    }

    /// Stops it without ending it (SIGSTOP): requests hang.
    pub fn pause(&self) {
        process::signal(self.emulator, "STOP");
    }

    /// Lets it go on after [`pause`](Self::pause).
    pub fn unpause(&self) {
        process::signal(self.emulator, "CONT");
    }
}

impl Drop for FirestoreEmulator {
    fn drop(&mut self) {
        // A failure shows when the leash is waited for.
        let group = format!("-{}", self.leash.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
        let _ = self.leash.wait();
    }
}

/// A database on the emulator, read and written over REST, without the code
/// under test.
#[derive(Debug, Clone)]
pub struct FirestoreProject {
    host: String,
    name: String,
}

impl FirestoreProject {
    /// The project's id, as `GOOGLE_CLOUD_PROJECT` takes it.
    pub fn name(&self) -> &str {
        &self.name
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}/v1/projects/{}/databases/(default)/documents/{path}", self.host, self.name)
    }

    /// Writes a document such as `channel-list/1`. The fields are as Firestore's
    /// REST interface has them: `{"name": {"stringValue": "text"}}`.
    pub async fn write(&self, path: &str, fields: Value) {
        let request = reqwest::Client::new().patch(self.url(path)).json(&json!({ "fields": fields }));
        let answer = request.send().await.expect("the emulator answers");
        assert!(answer.status().is_success(), "{path}: {:?}", answer.text().await);
    }

    /// The fields of a document, `null` when there is none.
    pub async fn read(&self, path: &str) -> Value {
        let answer = reqwest::get(self.url(path)).await.expect("the emulator answers");
        if answer.status() == reqwest::StatusCode::NOT_FOUND {
            return Value::Null;
        }
        let document: Value = answer.json().await.expect("a document is JSON");
        document.get("fields").cloned().unwrap_or_else(|| json!({}))
    }

    /// Removes every document.
    pub async fn wipe(&self) {
        let url =
            format!("http://{}/emulator/v1/projects/{}/databases/(default)/documents", self.host, self.name);
        let answer = reqwest::Client::new().delete(url).send().await.expect("the emulator answers");
        assert!(answer.status().is_success(), "{:?}", answer.text().await);
    }
}

/// The emulator's jar. If there is none, the running test is skipped.
fn installed() -> Option<PathBuf> {
    let jar = jar();
    if jar.is_none() {
        skip(
            "Google's Firestore emulator is not installed \
             (it needs `java` and `gcloud components install cloud-firestore-emulator`)",
        );
    }
    jar
}

/// The emulator's jar: beside the `gcloud` on PATH.
fn jar() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let find =
        |program: &str| std::env::split_paths(&path).map(|dir| dir.join(program)).find(|file| file.exists());
    find("java")?;
    let gcloud = find("gcloud")?.canonicalize().ok()?;
    let jar =
        gcloud.parent()?.parent()?.join("platform/cloud-firestore-emulator/cloud-firestore-emulator.jar");
    jar.exists().then_some(jar)
}
