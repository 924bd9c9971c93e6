//! The settings of discord-service, and the subcommands of its binary.

mod operator_command;

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::{Parser, ValueEnum, value_parser};
use shared::settings::CommonSettings;
use url::Url;

pub use self::operator_command::{DeadLettersCommand, OperatorCommand};
use crate::{render::Layout, sentry_addresses::Publication};

/// Posts Sentry's alerts to Discord and answers the bot's commands
#[derive(Debug, Clone, Parser)]
#[command(name = "discord-service", version, after_help = secrets_help())]
pub struct Settings {
    /// Settings that both services have.
    #[command(flatten)]
    pub common: CommonSettings,
    /// Where /healthz, /readyz and /metrics are served, plain HTTP
    #[arg(long, env, default_value = "127.0.0.1:9091")]
    pub admin_addr: SocketAddr,
    /// File that holds DISCORD_TOKEN
    #[arg(long, env)]
    pub discord_token_file: Option<PathBuf>,
    /// Base of Discord's API; name another one for a sandbox or a rate-limit proxy
    #[arg(long, env, default_value = "https://discord.com", value_parser = http_url)]
    pub discord_api_url: Url,
    /// Keeps who may post where; auto: Firestore if one of Google's variables is set, otherwise NATS
    #[arg(long, env, value_enum, default_value_t)]
    pub store: StoreChoice,
    /// Google's project id, for Firestore
    #[arg(long, env)]
    pub google_cloud_project: Option<String>,
    /// Google's key file, for Firestore
    #[arg(long, env)]
    pub google_application_credentials: Option<PathBuf>,
    /// host:port of Google's Firestore emulator
    #[arg(long, env, value_parser = host_port)]
    pub firestore_emulator_host: Option<String>,
    /// The word that commands begin with
    #[arg(long, env, default_value = "!sentry", value_parser = prefix)]
    pub command_prefix: String,
    /// How an alert looks; classic is the look of this bot's predecessor
    #[arg(long, env, value_enum, default_value_t = Layout::Modern)]
    pub alert_style: Layout,
    /// Small picture in the embeds, a PNG
    #[arg(
        long,
        env,
        default_value = "https://raw.githubusercontent.com/sentry-bot/sentry-bot/main/docs/glyph.png",
        value_parser = http_url
    )]
    pub glyph_url: Url,
    /// Seconds after which other pods take over a silent pod's shards and partitions, at most 15
    #[arg(long, env, default_value_t = 10, value_parser = value_parser!(u64).range(2..=15))]
    pub lease_ttl_secs: u64,
    /// The list of the addresses that Sentry sends from; read every 12 to 24 hours for the ingress; `off` reads nothing
    #[arg(long, env, default_value = "https://docs.sentry.io/api/ip-ranges/")]
    pub sentry_ip_ranges_url: Publication,
    /// The address at which Sentry reaches the ingress, such as `https://bot.example.com:8080`; with it the bot shows complete webhook URLs
    #[arg(long, env, value_parser = http_url)]
    pub public_url: Option<Url>,
    /// Seconds after which a waiting alert goes to the dead letters, at most 5 days
    #[arg(long, env, default_value_t = 86_400, value_parser = value_parser!(u64).range(1..=432_000))]
    pub alert_max_age_secs: u64,
    /// What to do instead of serving.
    #[command(subcommand)]
    pub command: Option<OperatorCommand>,
}

impl Settings {
    /// `ALERT_MAX_AGE_SECS`.
    pub const fn alert_max_age(&self) -> Duration {
        Duration::from_secs(self.alert_max_age_secs)
    }

    /// `LEASE_TTL_SECS`.
    pub const fn lease_ttl(&self) -> Duration {
        Duration::from_secs(self.lease_ttl_secs)
    }

    /// Whether Firestore is the store, after `auto` has been resolved.
    pub const fn uses_firestore(&self) -> bool {
        match self.store {
            StoreChoice::Firestore => true,
            StoreChoice::Nats => false,
            StoreChoice::Auto => {
                self.google_cloud_project.is_some()
                    || self.google_application_credentials.is_some()
                    || self.firestore_emulator_host.is_some()
            }
        }
    }
}

/// `STORE`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum StoreChoice {
    /// Firestore when one of Google's variables is set, else NATS.
    #[default]
    Auto,
    /// Google's Firestore, with the documents of the predecessor.
    Firestore,
    /// NATS JetStream's key-value buckets: nothing else to install.
    Nats,
}

fn secrets_help() -> String {
    format!("{}\n  DISCORD_TOKEN   the bot's token", shared::settings::secrets_help())
}

/// Without a user name, since these URLs are shown to people.
fn http_url(text: &str) -> Result<Url, String> {
    let open = |url: &Url| url.username().is_empty() && url.password().is_none();
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.host().is_some() && open(&url) => Ok(url),
        _ => Err("expected a URL that begins with http:// or https://, without a user name".to_owned()),
    }
}

fn host_port(text: &str) -> Result<String, String> {
    let port =
        text.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
    let plain = Url::parse(&format!("http://{text}")).is_ok_and(|url| {
        url.path() == "/" && url.username().is_empty() && url.query().is_none() && url.fragment().is_none()
    });
    match port && plain && !text.ends_with('/') {
        true => Ok(text.to_owned()),
        false => Err("expected host:port".to_owned()),
    }
}

/// The bot shows the prefix in code spans and in names of embed fields, which have limits.
fn prefix(text: &str) -> Result<String, String> {
    let fits = (1..=32).contains(&text.chars().count());
    if !fits || text.contains(|c: char| c.is_whitespace() || c.is_control() || c == '`') {
        return Err("expected one word of at most 32 characters, without backticks".to_owned());
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests;
