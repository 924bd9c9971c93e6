//! Settings: environment variables and flags, read once at start.
//!
//! Every setting is a flag and a variable of the same name (`--nats-url`,
//! `NATS_URL`). An empty variable counts as absent. Secrets are never flags,
//! because process lists show flags. They are variables, or files named by the
//! variable's `_FILE` twin.

#[cfg(test)]
mod tests;

use std::{error::Error as _, ffi::OsString, path::PathBuf, time::Duration};

use async_nats::ServerAddr;
use clap::{
    Parser, ValueEnum,
    error::{ContextKind, ContextValue, ErrorKind},
};
use secrecy::SecretString;

use crate::mode::RuntimeMode;

/// The largest `CHANNEL_BACKLOG_MAX`. One post can join all alerts that wait,
/// and its record must fit into a message of NATS (1 MiB).
pub const MAX_CHANNEL_BACKLOG: i64 = 100_000;

/// A setting is wrong. The text is one line that names the setting and says
/// what to do.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0}")]
pub struct SettingsError(pub String);

/// The settings that both services have.
#[derive(Debug, Clone, clap::Args)]
pub struct CommonSettings {
    /// How strict to be: development admits any source address and takes development keys
    #[arg(long, env, value_enum, default_value_t)]
    pub runtime_mode: RuntimeMode,
    /// NATS settings.
    #[command(flatten)]
    pub nats: NatsSettings,
    /// Log format [default: pretty on a terminal, else json]
    #[arg(long, env, value_enum)]
    pub log_format: Option<LogFormat>,
    /// Seconds to finish what is in flight after SIGTERM
    #[arg(long, env, default_value_t = 25)]
    pub shutdown_grace_secs: u64,
    /// Share of traces sent to the operator's own Sentry, 0 to 1
    #[arg(long, env, default_value_t = 0.1, value_parser = sample_rate)]
    pub sentry_traces_sample_rate: f32,
    /// File that holds SENTRY_DSN, the operator's own Sentry
    #[arg(long, env)]
    pub sentry_dsn_file: Option<PathBuf>,
    /// File that holds SECRETS_KEY, which seals the channels' client secrets
    #[arg(long, env)]
    pub secrets_key_file: Option<PathBuf>,
}

impl CommonSettings {
    /// `SHUTDOWN_GRACE_SECS`.
    pub const fn shutdown_grace(&self) -> Duration {
        Duration::from_secs(self.shutdown_grace_secs)
    }
}

/// How to reach NATS and what to keep there.
#[derive(Debug, Clone, clap::Args)]
pub struct NatsSettings {
    /// NATS servers, separated by commas
    #[arg(long, env, default_value = "nats://127.0.0.1:4222", value_delimiter = ',', value_parser = nats_url)]
    pub nats_url: Vec<ServerAddr>,
    /// Credentials file (JWT and seed)
    #[arg(long, env)]
    pub nats_creds_file: Option<PathBuf>,
    /// PEM file with the authority that signed the servers' certificates; requires TLS
    #[arg(long, env)]
    pub nats_ca_file: Option<PathBuf>,
    /// User name, with NATS_PASSWORD
    #[arg(long, env)]
    pub nats_user: Option<String>,
    /// File that holds NATS_PASSWORD
    #[arg(long, env)]
    pub nats_password_file: Option<PathBuf>,
    /// Replicas of streams and buckets: 1, 3 or 5
    #[arg(long, env, default_value_t = 1, value_parser = replicas)]
    pub nats_replicas: usize,
    /// Most alerts that may wait for one channel, at most 100000; more are answered 429
    #[arg(long, env, default_value_t = 20_000, value_parser = clap::value_parser!(i64).range(1..=MAX_CHANNEL_BACKLOG))]
    pub channel_backlog_max: i64,
    /// Most bytes of waiting alerts; more are answered 503
    #[arg(long, env, default_value_t = 2 << 30, value_parser = clap::value_parser!(i64).range(1_048_576..))]
    pub alerts_max_bytes: i64,
    /// Most bytes of dead letters; older ones go
    #[arg(long, env, default_value_t = 256 << 20, value_parser = clap::value_parser!(i64).range(1_048_576..))]
    pub dead_letters_max_bytes: i64,
}

/// The most bytes of the queue that one alert takes.
const ALERT_BYTES: i64 = 8 << 10;
/// One channel's backlog may take this part of the queue at most, so that no
/// channel fills it.
const BACKLOG_SHARE: i64 = 8;

impl NatsSettings {
    /// Checks that the limits fit together.
    ///
    /// # Errors
    /// [`SettingsError`] when one channel could fill the queue.
    pub fn check_bounds(&self) -> Result<(), SettingsError> {
        let most = self.alerts_max_bytes / BACKLOG_SHARE / ALERT_BYTES;
        if self.channel_backlog_max <= most {
            return Ok(());
        }
        let needed = self.channel_backlog_max * ALERT_BYTES * BACKLOG_SHARE;
        Err(SettingsError(format!(
            "CHANNEL_BACKLOG_MAX: {} alerts of 8 KiB are more than an eighth of ALERTS_MAX_BYTES: set it to {most} \
             at most, or ALERTS_MAX_BYTES to {needed} at least",
            self.channel_backlog_max
        )))
    }
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Coloured lines for people.
    Pretty,
    /// One JSON object for each line.
    Json,
}

/// Refuses a URL with a user in it. The client would ignore the user, and a
/// password does not belong in a flag.
fn nats_url(text: &str) -> Result<ServerAddr, &'static str> {
    match text.parse::<ServerAddr>() {
        Ok(server) if server.username().is_none() && server.password().is_none() => Ok(server),
        Ok(_) => Err("expected no user in the URL: set NATS_USER and NATS_PASSWORD, or NATS_CREDS_FILE"),
        Err(_) => Err("expected nats://host:port, or several with commas between"),
    }
}

fn sample_rate(text: &str) -> Result<f32, String> {
    match text.parse() {
        Ok(rate) if (0.0..=1.0).contains(&rate) => Ok(rate),
        _ => Err("expected a number from 0 to 1".to_owned()),
    }
}

fn replicas(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(count @ (1 | 3 | 5)) => Ok(count),
        _ => Err("expected 1, 3 or 5".to_owned()),
    }
}

/// Reads a service's settings from the process's arguments and environment.
/// `--help` and `--version` print and end the process.
///
/// # Errors
/// [`SettingsError`] for an unknown flag or a wrong value.
pub fn parse<T: Parser>() -> Result<T, SettingsError> {
    parse_from(std::env::args_os())
}

fn parse_from<T: Parser>(arguments: impl IntoIterator<Item = OsString>) -> Result<T, SettingsError> {
    let command = T::command().mut_args(|arg| {
        // A variable's value may be private, such as a URL with a password.
        let arg = arg.hide_env_values(true);
        let empty = arg.get_env().and_then(std::env::var_os).is_some_and(|value| value.is_empty());
        if empty { arg.env(None::<&'static str>) } else { arg }
    });
    let parsed = command.try_get_matches_from(arguments).and_then(|matches| T::from_arg_matches(&matches));
    match parsed {
        Ok(settings) => Ok(settings),
        Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            error.exit()
        }
        Err(error) => Err(SettingsError(one_line(&error))),
    }
}

/// Clap's message without its hints, with the variable's name beside the
/// flag's. A wrong URL is not repeated, because it may hold a password.
fn one_line(error: &clap::Error) -> String {
    let text = error.to_string();
    let first = text.split("\n\n").next().unwrap_or_default();
    let first = first.strip_prefix("error: ").unwrap_or(first);
    let line = first.split_whitespace().collect::<Vec<_>>().join(" ");
    let variable = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(flag)) if flag.starts_with("--") => {
            let name = flag.trim_start_matches('-').split([' ', '=']).next().unwrap_or_default();
            name.replace('-', "_").to_uppercase()
        }
        _ => return format!("{line} (see --help)"),
    };
    match error.source() {
        Some(why) if variable.ends_with("_URL") => format!("{variable}: {why} (see --help)"),
        _ => format!("{variable}: {line} (see --help)"),
    }
}

/// A secret from the variable `name`, or from `file` (its `_FILE` twin). White
/// space around it is dropped. An empty one counts as absent.
///
/// # Errors
/// When both are given, or the file cannot be read.
pub fn secret(name: &str, file: Option<&PathBuf>) -> Result<Option<SecretString>, SettingsError> {
    let given = std::env::var(name).ok().filter(|value| !value.trim().is_empty());
    let value = match (given, file) {
        (Some(_), Some(_)) => {
            return Err(SettingsError(format!("{name} and {name}_FILE are both set: set one of them")));
        }
        (Some(value), None) => value,
        (None, Some(path)) => std::fs::read_to_string(path).map_err(|error| {
            SettingsError(format!("{name}_FILE: cannot read {}: {error}", path.display()))
        })?,
        (None, None) => return Ok(None),
    };
    let value = value.trim();
    Ok((!value.is_empty()).then(|| SecretString::from(value)))
}

/// The text that `--help` ends with, naming the secrets.
pub const fn secrets_help() -> &'static str {
    "Secrets are no flags. Set the variable, or its _FILE twin to a file that holds it:\n  \
     NATS_PASSWORD   password of NATS_USER\n  \
     SENTRY_DSN      the operator's own Sentry\n  \
     SECRETS_KEY     32 bytes in base64 that seal the channels' client secrets; a comma list rotates"
}
