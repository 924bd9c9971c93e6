//! The bot beside the sandbox: where it takes webhooks, and where it counts.

use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use clap::Args;
use url::{Host, Url};

/// What the page may send to, read and stop. All of it is on this machine.
#[derive(Debug, Clone, Default, Args)]
pub struct Services {
    /// The ingress, such as https://127.0.0.1:8080: the page sends alerts to it, as Sentry does
    #[arg(long)]
    pub ingress: Option<Url>,
    /// The ingress's metrics, such as http://127.0.0.1:9090/metrics
    #[arg(long, requires = "discord_metrics")]
    pub ingress_metrics: Option<Url>,
    /// discord-service's metrics, such as http://127.0.0.1:9091/metrics
    #[arg(long, requires = "ingress_metrics")]
    pub discord_metrics: Option<Url>,
    /// Folder of the payloads that the page offers
    #[arg(long, requires = "ingress")]
    pub fixtures: Option<PathBuf>,
    /// Process id of the nats-server that the page may halt
    #[arg(long)]
    pub nats_pid: Option<i32>,
}

impl Services {
    /// Refuses what is not on this machine.
    ///
    /// # Errors
    /// When a URL names another host.
    pub fn check(&self) -> anyhow::Result<()> {
        for url in [&self.ingress, &self.ingress_metrics, &self.discord_metrics].into_iter().flatten() {
            let here = match url.host().context("a URL without a host")? {
                Host::Domain(name) => name == "localhost",
                Host::Ipv4(address) => address.is_loopback(),
                Host::Ipv6(address) => address.is_loopback(),
            };
            ensure!(here, "{url} is not on this machine");
        }
        Ok(())
    }
}
