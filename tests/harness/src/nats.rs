//! A real nats-server with JetStream.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use async_nats::jetstream;
use tempfile::TempDir;

use crate::{free_port, process, wait::wait_for, workspace_root};

/// A nats-server process, killed when dropped.
#[derive(Debug)]
pub struct NatsServer {
    port: u16,
    store: TempDir,
    extra: Vec<String>,
    child: Option<Child>,
}

impl NatsServer {
    /// Starts one and waits until it takes connections.
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// Starts one with more command-line arguments.
    pub async fn start_with(extra: &[&str]) -> Self {
        let store = tempfile::tempdir().expect("a temporary directory");
        let extra = extra.iter().map(ToString::to_string).collect();
        let mut server = Self { port: free_port(), store, extra, child: None };
        server.restart().await;
        server
    }

    /// Starts a cluster of three, each with its own files, and waits until it
    /// can keep streams.
    pub async fn start_cluster() -> [Self; 3] {
        let ports = [free_port(), free_port(), free_port()];
        let routes = ports.map(|port| format!("nats://127.0.0.1:{port}")).join(",");
        let mut servers = ports.map(|port| {
            let name = format!("nats-{port}");
            let own = format!("nats://127.0.0.1:{port}");
            let arguments = ["-cluster_name", "test", "-n", &name, "-cluster", &own, "-routes", &routes];
            Self {
                port: free_port(),
                store: tempfile::tempdir().expect("a temporary directory"),
                extra: arguments.map(ToOwned::to_owned).to_vec(),
                child: None,
            }
        });
        for server in &mut servers {
            server.restart().await;
        }
        for server in &servers {
            let js = jetstream::new(server.client().await);
            wait_for("the cluster keeps streams", Duration::from_secs(30), || async {
                js.query_account().await.ok()
            })
            .await;
        }
        servers
    }

    /// Whether it has this name in its cluster.
    pub fn is_named(&self, name: &str) -> bool {
        self.extra.iter().any(|argument| argument == name)
    }

    /// Starts it again on the same port with the same files.
    pub async fn restart(&mut self) {
        self.kill();
        let log = std::fs::File::create(self.store.path().join("server.log")).expect("a log file");
        let child = Command::new(binary())
            .args(["-a", "127.0.0.1", "-p", &self.port.to_string(), "-js", "-sd"])
            .arg(self.store.path())
            .args(&self.extra)
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("nats-server starts: run `make tools`");
        self.child = Some(child);
        let port = self.port;
        wait_for("nats-server takes connections", Duration::from_secs(20), || async move {
            tokio::net::TcpStream::connect(("127.0.0.1", port)).await.ok()
        })
        .await;
    }

    /// Ends it with SIGKILL, as a crash would. Its files stay.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Stops it without ending it (SIGSTOP): connections hang.
    pub fn pause(&self) {
        self.signal("STOP");
    }

    /// Lets it go on after [`pause`](Self::pause).
    pub fn unpause(&self) {
        self.signal("CONT");
    }

    /// Sends it a signal, such as `KILL`.
    pub fn signal(&self, name: &str) {
        process::signal(self.id(), name);
    }

    /// The process's id.
    pub fn id(&self) -> u32 {
        self.child.as_ref().expect("the server runs").id()
    }

    /// The folder of its files, JetStream's among them.
    pub fn files(&self) -> &Path {
        self.store.path()
    }

    /// The URL for clients.
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// A client of it.
    pub async fn client(&self) -> async_nats::Client {
        async_nats::connect(self.url()).await.expect("nats-server is up")
    }
}

impl Drop for NatsServer {
    fn drop(&mut self) {
        if self.child.is_some() {
            // A stopped process must continue before it can end.
            self.signal("CONT");
        }
        self.kill();
    }
}

/// The pinned binary that `make tools` puts into `.tools/bin`, else the one on PATH.
fn binary() -> PathBuf {
    let pinned = workspace_root().join(".tools/bin/nats-server");
    if pinned.exists() { pinned } else { "nats-server".into() }
}
