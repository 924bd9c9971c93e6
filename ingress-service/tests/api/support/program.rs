//! The program itself, as a process.

use std::{
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use harness::{
    free_port,
    nats::NatsServer,
    wait::{SOON, wait_for},
};

use super::client;

/// The program with no settings, its output to be read.
pub fn ingress() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ingress-service"));
    command.env_clear().stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// The program with ports of its own, ended when dropped.
pub struct Running {
    pub child: Child,
    pub port: u16,
    pub admin_port: u16,
    log: tempfile::NamedTempFile,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Running {
    pub async fn start(nats: &NatsServer) -> Self {
        Self::start_with(nats, &[]).await
    }

    pub async fn start_with(nats: &NatsServer, variables: &[(&str, &str)]) -> Self {
        Self::launch(ingress(), nats, variables).await
    }

    /// With a system's limits of open files, the soft one and the hard one.
    pub async fn start_limited(nats: &NatsServer, files: (usize, usize), variables: &[(&str, &str)]) -> Self {
        let mut command = Command::new("sh");
        let (soft, hard) = files;
        let script = format!("ulimit -Sn {soft} && ulimit -Hn {hard} && exec \"$0\"");
        command.env_clear().args(["-c", &script, env!("CARGO_BIN_EXE_ingress-service")]);
        Self::launch(command, nats, variables).await
    }

    async fn launch(mut command: Command, nats: &NatsServer, variables: &[(&str, &str)]) -> Self {
        let (port, admin_port) = (free_port(), free_port());
        let log = tempfile::NamedTempFile::new().expect("a file");
        let child = command
            .env("RUNTIME_MODE", "development")
            .env("INGRESS_ADDR", format!("127.0.0.1:{port}"))
            .env("ADMIN_ADDR", format!("127.0.0.1:{admin_port}"))
            .env("NATS_URL", nats.url())
            .envs(variables.iter().copied())
            .stdout(Stdio::null())
            .stderr(log.reopen().expect("a second handle"))
            .spawn()
            .expect("it runs");
        let running = Self { child, port, admin_port, log };
        wait_for("the ingress listens", SOON, || async move {
            tokio::net::TcpStream::connect(("127.0.0.1", admin_port)).await.ok()
        })
        .await;
        wait_for("the ingress is ready", SOON, || async move {
            (client::get(admin_port, "/readyz").await.0 == 200).then_some(())
        })
        .await;
        running
    }

    pub async fn exit_code(&mut self, limit: Duration) -> Option<i32> {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("it is ours") {
                return status.code();
            }
            assert!(started.elapsed() < limit, "it still runs");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub fn said(&self) -> String {
        std::fs::read_to_string(self.log.path()).expect("readable")
    }
}
