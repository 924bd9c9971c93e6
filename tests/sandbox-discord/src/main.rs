//! Runs a sandbox Discord with a small server in it, for newcomers and for
//! trying a bot by hand. See `sandbox-discord --help` and the README.

use std::{io::Write, net::SocketAddr};

use anyhow::Context;
use clap::Parser;
use sandbox_discord::{
    Config, Sandbox, User,
    demo::{self, Services},
};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// A stand-in for Discord, for trying a bot without Discord
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    /// Where to listen
    #[arg(long, default_value = "127.0.0.1:8070")]
    addr: SocketAddr,
    /// The token that the bot must show
    #[arg(long, default_value = "sandbox-token")]
    token: String,
    /// The number of shards that it recommends
    #[arg(long, default_value_t = 1)]
    shards: u32,
    /// Behave as if the MESSAGE_CONTENT intent had not been granted
    #[arg(long)]
    no_message_content: bool,
    /// Start without the server "Sandbox"
    #[arg(long)]
    empty: bool,
    #[command(flatten, next_help_heading = "The bot beside it, on this machine")]
    services: Services,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let args = Args::parse();
    args.services.check(args.addr)?;
    let config = Config::default()
        .addr(args.addr)
        .token(args.token)
        .bot(User::bot("Sentry Bot").with_id(demo::BOT))
        .shards(args.shards)
        .message_content(!args.no_message_content)
        .services(args.services);
    let sandbox = Sandbox::try_start(config)?;
    let mut out = std::io::stdout();
    writeln!(out, "Sandbox Discord: {}", sandbox.url())?;
    if !args.empty {
        demo::fill(&sandbox);
        writeln!(out, "Server \"Sandbox\": #alerts is channel {}, #general {}", demo::ALERTS, demo::GENERAL)?;
    }
    out.flush()?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted.context("cannot listen for Ctrl-C")?,
        _ = terminate.recv() => {}
    }
    Ok(())
}
