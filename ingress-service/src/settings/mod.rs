//! The settings of ingress-service.

#[cfg(test)]
mod tests;

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    str::FromStr,
    time::Duration,
};

use clap::{Parser, Subcommand, value_parser};
use ipnet::IpNet;
use shared::{
    sentry_ip_ranges,
    settings::{CommonSettings, SettingsError, secrets_help},
};

use crate::deadlines::AnswerTimeouts;

/// Receives Sentry's webhooks and stores them as alerts for discord-service
#[derive(Debug, Clone, Parser)]
#[command(name = "ingress-service", version, after_help = secrets_help())]
pub struct IngressSettings {
    /// Settings that both services have.
    #[command(flatten)]
    pub common: CommonSettings,
    /// Where /healthz, /readyz, /metrics and /openapi.json are served, plain HTTP
    #[arg(long, env, default_value = "127.0.0.1:9090")]
    pub admin_addr: SocketAddr,
    /// Where webhooks are received, HTTPS
    #[arg(long, env, default_value = "0.0.0.0:8080")]
    pub ingress_addr: SocketAddr,
    /// PEM file with the certificate and its chain, read again when it changes; set TLS_KEY_FILE too
    #[arg(long, env)]
    pub tls_cert_file: Option<PathBuf>,
    /// PEM file with the certificate's private key; set TLS_CERT_FILE too
    #[arg(long, env)]
    pub tls_key_file: Option<PathBuf>,
    /// Names and addresses in the self-signed certificate, separated by commas
    #[arg(long, env, default_value = "localhost", value_delimiter = ',')]
    pub tls_hosts: Vec<TlsHost>,
    /// Networks that may send in production mode, separated by commas; `sentry` means Sentry's own
    #[arg(long, env, default_value = "sentry", value_delimiter = ',')]
    pub allowed_sources: Vec<AllowedSource>,
    /// Networks of proxies whose X-Forwarded-For header counts, separated by commas
    #[arg(long, env, value_delimiter = ',', value_parser = network)]
    pub trusted_proxies: Vec<IpNet>,
    /// Seconds to keep an idle connection of a trusted proxy open; set more than the proxy's own limit, or 0 to keep none
    #[arg(long, env, default_value_t = 620, value_parser = value_parser!(u64).range(..=86_400))]
    pub keep_alive_secs: u64,
    /// Most bytes of a webhook's body; longer ones are answered 413
    #[arg(long, env, default_value_t = 2 << 20, value_parser = value_parser!(u64).range(1..=64 << 20))]
    pub max_body_bytes: u64,
    /// Milliseconds to wait for discord-service's verdict; a larger value counts as 200, since storing the alert takes time too
    #[arg(long, env, default_value_t = 200, value_parser = value_parser!(u64).range(1..))]
    pub verdict_timeout_ms: u64,
    /// No setting: tests that are not about time give a busy machine more.
    #[arg(skip)]
    pub answer_timeouts: AnswerTimeouts,
    /// What to do instead of serving.
    #[command(subcommand)]
    pub command: Option<IngressCommand>,
}

/// What the binary does instead of serving.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum IngressCommand {
    /// Asks the running service at ADMIN_ADDR whether it lives: exit code 0 or 1
    Healthcheck,
}

impl IngressSettings {
    /// `VERDICT_TIMEOUT_MS`, as far as the answer's time allows.
    pub fn verdict_timeout(&self) -> Duration {
        let wanted = Duration::from_millis(self.verdict_timeout_ms);
        let most = self.answer_timeouts.verdict();
        if wanted > most {
            tracing::warn!(
                "VERDICT_TIMEOUT_MS is {}: waiting {most:?}, since Sentry must have its answer in time",
                self.verdict_timeout_ms
            );
        }
        wanted.min(most)
    }

    /// `TLS_CERT_FILE` and `TLS_KEY_FILE`, when they are set.
    ///
    /// # Errors
    /// When only one of them is.
    pub fn tls_files(&self) -> Result<Option<TlsFiles>, SettingsError> {
        match (&self.tls_cert_file, &self.tls_key_file) {
            (Some(certificate), Some(key)) => {
                Ok(Some(TlsFiles { certificate: certificate.clone(), key: key.clone() }))
            }
            (None, None) => Ok(None),
            _ => Err(SettingsError("TLS_CERT_FILE and TLS_KEY_FILE: set both or neither".to_owned())),
        }
    }
}

/// Where the certificate and its key are kept, as PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate, then its chain.
    pub certificate: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

/// One of `ALLOWED_SOURCES`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AllowedSource {
    /// Sentry's published addresses.
    Sentry,
    /// A network of the operator's choice.
    Network(IpNet),
}

impl FromStr for AllowedSource {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim() {
            "sentry" => Ok(Self::Sentry),
            other => network(other).map(Self::Network),
        }
    }
}

/// One of `TLS_HOSTS`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TlsHost {
    /// A host name, possibly with a leading `*.`.
    Name(String),
    /// An address.
    Address(IpAddr),
}

impl FromStr for TlsHost {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if let Ok(address) = text.parse() {
            return Ok(Self::Address(address));
        }
        let name = text.strip_prefix("*.").unwrap_or(text);
        let label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        };
        if name.len() <= 253 && name.split('.').all(label) {
            Ok(Self::Name(text.to_owned()))
        } else {
            Err("expected a host name or an IP address".to_owned())
        }
    }
}

fn network(text: &str) -> Result<IpNet, String> {
    sentry_ip_ranges::network(text)
        .ok_or_else(|| "expected an address or a network such as 192.0.2.0/24".to_owned())
}
