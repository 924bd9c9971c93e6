//! Servers of NATS with users.

use std::{
    future::ready,
    path::{Path, PathBuf},
};

use async_nats::{Client, ConnectOptions, Event};
use harness::{
    authority::{Authority, ServerFiles},
    nats::NatsServer,
    workspace_root,
};
use tempfile::TempDir;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::operator::Operator;

/// The users' passwords. No log may contain them.
pub(crate) const INGRESS_PASSWORD: &str = "correct-horse";
pub(crate) const DISCORD_PASSWORD: &str = "battery-staple";
const OPERATOR_PASSWORD: &str = "pull-the-plug";

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

    pub(crate) async fn server(&self, configuration: &str) -> NatsServer {
        let path = self.write("nats.conf", configuration);
        NatsServer::start_with(&["-c", path.to_str().expect("a path in UTF-8")]).await
    }
}

/// TLS for everybody, with the users and permissions that are deployed.
pub(crate) async fn with_passwords(files: &Files, authority: &Authority) -> NatsServer {
    files.server(&configuration(files, authority)).await
}

/// How that server is configured.
pub(crate) fn configuration(files: &Files, authority: &Authority) -> String {
    let accounts = workspace_root().join("k8s/components/nats-cluster/accounts.conf");
    let mut accounts = std::fs::read_to_string(accounts).expect("the file that is deployed");
    for (variable, password) in [
        ("$INGRESS_SERVICE_PASSWORD", INGRESS_PASSWORD),
        ("$DISCORD_SERVICE_PASSWORD", DISCORD_PASSWORD),
        ("$OPERATOR_PASSWORD", OPERATOR_PASSWORD),
        ("$SYSTEM_PASSWORD", OPERATOR_PASSWORD),
    ] {
        accounts = accounts.replace(variable, &format!("{password:?}"));
    }
    let ServerFiles { certificate, key } = authority.server(files.path());
    let tls = format!("tls {{ cert_file: {certificate:?}, key_file: {key:?} }}\n");
    tls + &accounts
}

/// Makes the running server use this configuration.
pub(crate) fn reconfigure(files: &Files, nats: &NatsServer, configuration: &str) {
    files.write("nats.conf", configuration);
    nats.signal("HUP");
}

/// A client of that server as one of its users, and the server's objections.
pub(crate) async fn client(nats: &NatsServer, ca: &Path, user: &str) -> (Client, UnboundedReceiver<String>) {
    let password = match user {
        "ingress-service" => INGRESS_PASSWORD,
        "discord-service" => DISCORD_PASSWORD,
        _ => OPERATOR_PASSWORD,
    };
    let (objections, objected) = unbounded_channel();
    let client = ConnectOptions::with_user_and_password(user.to_owned(), password.to_owned())
        .add_root_certificates(ca.to_owned())
        .require_tls(true)
        .custom_inbox_prefix(format!("_INBOX.{user}"))
        .event_callback(move |event| {
            if let Event::ServerError(error) = event {
                let _ = objections.send(error.to_string());
            }
            ready(())
        })
        .connect(nats.url())
        .await;
    (client.expect("it is let in"), objected)
}

/// Only for users of this operator.
pub(crate) async fn with_credentials(files: &Files, operator: &Operator) -> NatsServer {
    files.server(&operator.server()).await
}
