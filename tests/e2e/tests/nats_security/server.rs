//! Servers of NATS that let only some in.

use std::path::{Path, PathBuf};

use harness::{
    authority::{Authority, ServerFiles},
    nats::NatsServer,
};
use tempfile::TempDir;

use crate::operator::Operator;

/// What the services present. None of it may stand in a log.
pub(crate) const INGRESS_PASSWORD: &str = "correct-horse";
pub(crate) const DISCORD_PASSWORD: &str = "battery-staple";

pub(crate) const GUEST_PASSWORD: &str = "let-me-in";

/// The files of a server and of its clients.
pub(crate) struct Files(TempDir);

impl Files {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a directory"))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes one and returns where it is.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        std::fs::write(&path, content).expect("written");
        path
    }

    async fn server(&self, configuration: &str) -> NatsServer {
        let path = self.write("nats.conf", configuration);
        NatsServer::start_with(&["-c", path.to_str().expect("a path in UTF-8")]).await
    }
}

/// TLS for everybody, a user for each service, and `guest`, who may only listen.
pub(crate) async fn with_passwords(files: &Files, authority: &Authority) -> NatsServer {
    let users = format!(
        "accounts {{ SENTRY_BOT {{ jetstream: enabled, users: [\n\
         {{ user: ingress, password: {INGRESS_PASSWORD:?} }}\n\
         {{ user: discord, password: {DISCORD_PASSWORD:?} }}\n\
         {{ user: guest, password: {GUEST_PASSWORD:?}, permissions: {{ publish: nothing }} }}\n\
         ] }} }}\n"
    );
    let ServerFiles { certificate, key } = authority.server(files.path());
    let tls = format!("tls {{ cert_file: {certificate:?}, key_file: {key:?} }}\n");
    files.server(&(tls + &users)).await
}

/// Only for users of this operator.
pub(crate) async fn with_credentials(files: &Files, operator: &Operator) -> NatsServer {
    files.server(&operator.server()).await
}
