//! The bot beside the sandbox: where it takes webhooks, and where it counts.

use std::{net::SocketAddr, path::PathBuf};

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
    /// Refuses what is not on this machine, and to let others use it.
    ///
    /// # Errors
    /// When a URL names another host, or the sandbox listens for other hosts.
    pub fn check(&self, listens: SocketAddr) -> anyhow::Result<()> {
        let urls: Vec<_> =
            [&self.ingress, &self.ingress_metrics, &self.discord_metrics].into_iter().flatten().collect();
        let used = !urls.is_empty() || self.nats_pid.is_some();
        ensure!(!used || listens.ip().is_loopback(), "others could use the bot: listen on 127.0.0.1");
        for url in urls {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_sent_to_and_served() {
        let check = |url: &str, listens: &str| {
            let services = Services { ingress: url.parse().ok(), ..Services::default() };
            services.check(listens.parse().expect("an address")).is_ok()
        };
        assert!(check("https://127.0.0.1:8080", "127.0.0.1:8070"));
        assert!(check("https://localhost:8080", "[::1]:8070"));
        assert!(!check("https://bot.example.com", "127.0.0.1:8070"));
        assert!(!check("https://127.0.0.1:8080", "0.0.0.0:8070"));
    }
}
