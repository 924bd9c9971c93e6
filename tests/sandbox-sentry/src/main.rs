//! Runs a sandbox Sentry with a small organization in it, for newcomers and for trying the buttons by hand. See
//! `sandbox-sentry --help` and the README.

use std::{
    io::Write,
    net::{IpAddr, Ipv4Addr},
    path::PathBuf,
    time::Duration,
};

use anyhow::Context as _;
use clap::Parser;
use sandbox_sentry::{Config, SandboxSentry, Target, Trust, demo};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// A stand-in for Sentry's web API, for trying buttons without Sentry
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    /// Where to listen
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    host: IpAddr,
    /// The port; 0 takes a free one
    #[arg(long, default_value_t = 8060)]
    port: u16,
    /// The token of the internal integration
    #[arg(long, default_value = "sntryi_00000000000000000000000000000000000000000000000000000000005a4db0")]
    token: String,
    /// The client secret, which signs the webhooks
    #[arg(long, default_value = "sandbox-client-secret")]
    client_secret: String,
    /// Where each change is told, such as https://localhost:8080/sentry-bot/channel?id=123
    #[arg(long)]
    webhook_url: Option<String>,
    /// PEM file of an authority to trust there as well
    #[arg(long, conflicts_with = "insecure")]
    ca_file: Option<PathBuf>,
    /// Accept any certificate there, also a self-signed one
    #[arg(long)]
    insecure: bool,
    /// How long after its change a webhook is sent
    #[arg(long, default_value_t = 0, value_name = "SECONDS")]
    webhook_delay: u64,
}

impl Args {
    fn config(&self) -> anyhow::Result<Config> {
        let config = Config::default()
            .addr((self.host, self.port).into())
            .client_secret(&self.client_secret)
            .webhook_delay(Duration::from_secs(self.webhook_delay));
        let Some(url) = &self.webhook_url else { return Ok(config) };
        Ok(config.webhooks(Target::new(url, self.trust()?)?))
    }

    fn trust(&self) -> anyhow::Result<Trust> {
        Ok(match &self.ca_file {
            _ if self.insecure => Trust::Anyone,
            Some(path) => {
                let pem = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
                Trust::Authorities(pem)
            }
            None => Trust::System,
        })
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let args = Args::parse();
    let sandbox = SandboxSentry::try_start(args.config()?)?;
    let shown = demo::fill(&sandbox, &args.token);
    introduce(&args, &sandbox.url(), &shown)?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted.context("cannot listen for Ctrl-C")?,
        _ = terminate.recv() => {}
    }
    Ok(())
}

/// Prints what there is, and how to try it.
fn introduce(args: &Args, url: &str, shown: &demo::Demo) -> anyhow::Result<()> {
    let mut out = std::io::stdout();
    let (organization, project, token) = (demo::ORGANIZATION, demo::PROJECT, &args.token);
    writeln!(out, "Sandbox Sentry: {url}")?;
    writeln!(out, "Organization {organization}, project {project}")?;
    for (id, title) in &shown.issues {
        writeln!(out, "Issue {id}: {title}")?;
    }
    writeln!(out, "Token: {token}")?;
    writeln!(out, "Client secret: {}", args.client_secret)?;
    let target = args.webhook_url.as_deref().unwrap_or("nowhere; --webhook-url names a target");
    writeln!(out, "Webhooks go to: {target}")?;
    let first = shown.issues.first().map(|(id, _)| *id).unwrap_or_default();
    writeln!(out, "\nTry it:")?;
    writeln!(out, "  curl -s -X PUT {url}/api/0/organizations/{organization}/issues/{first}/ \\")?;
    writeln!(out, "    -H 'Authorization: Bearer {token}' -H 'Content-Type: application/json' \\")?;
    writeln!(out, "    -d '{{\"status\": \"resolved\"}}'")?;
    writeln!(out, "  curl -s {url}/sandbox/issues -H 'Content-Type: application/json' \\")?;
    writeln!(out, "    -d '{{\"project\": \"{project}\", \"title\": \"ValueError: new\"}}'")?;
    out.flush()?;
    Ok(())
}
