//! Logs, metrics and the operator's own Sentry, set up once at start.

use std::io::IsTerminal as _;

use anyhow::Context as _;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use secrecy::{ExposeSecret as _, SecretString};
use tracing_subscriber::{
    EnvFilter, Layer as _, filter::LevelFilter, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

use crate::settings::{CommonSettings, LogFormat, SettingsError};

/// What is logged when `RUST_LOG` is not set. serenity's INFO spans print whole
/// request bodies, and its gateway is chatty.
const DEFAULT_FILTER: &str =
    "info,serenity=warn,async_nats=warn,firestore=warn,gcloud_sdk=warn,actix_server=warn";

/// What holds whatever `RUST_LOG` says: at `trace` these libraries print every frame
/// of the gateway, and with it the bot's token and what people type into modals.
const NEVER_TRACED: [&str; 2] = ["tungstenite=info", "tokio_tungstenite=info"];

/// Buckets for every histogram in seconds: from a publish (0.3 ms) to a storm's drain.
const SECONDS: &[f64] = &[
    0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0,
];

/// Starts logging to standard error and counting.
///
/// # Errors
/// When `RUST_LOG` cannot be understood, or it is called twice.
pub fn init(format: Option<LogFormat>) -> anyhow::Result<PrometheusHandle> {
    let filter = match std::env::var("RUST_LOG").ok().filter(|value| !value.is_empty()) {
        Some(value) => {
            EnvFilter::try_new(value).map_err(|error| SettingsError(format!("RUST_LOG: {error}")))?
        }
        None => EnvFilter::new(DEFAULT_FILTER),
    };
    let filter =
        NEVER_TRACED.iter().filter_map(|quiet| quiet.parse().ok()).fold(filter, EnvFilter::add_directive);
    let format = format
        .unwrap_or_else(|| if std::io::stderr().is_terminal() { LogFormat::Pretty } else { LogFormat::Json });
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let layer = match format {
        LogFormat::Pretty => layer.boxed(),
        LogFormat::Json => layer.json().flatten_event(true).boxed(),
    };
    tracing_subscriber::registry()
        .with(layer.with_filter(filter))
        .with(sentry::integrations::tracing::ErrorLayer::new())
        .with(sentry::integrations::tracing::SpanLayer::new().with_filter(LevelFilter::INFO))
        .try_init()
        .context("logging is already set up")?;
    log_panics();
    PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), SECONDS)
        .context("histogram buckets")?
        .install_recorder()
        .context("metrics are already set up")
}

/// Logs a panic, reports it, and ends the process: a half-dead process would
/// hold its leases and look healthy.
fn log_panics() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        tracing::error!(panic = %info, "panicked; ending the process");
        report(info);
        if let Some(client) = sentry::Hub::main().client() {
            client.flush(Some(std::time::Duration::from_secs(2)));
        }
        std::process::abort();
    }));
}

/// Starts reporting to the operator's own Sentry. Keep the guard until the
/// process ends: it flushes what is queued. Nothing is sent without a DSN.
///
/// # Errors
/// When the DSN is not one.
pub fn start_sentry(
    service: &'static str,
    dsn: Option<&SecretString>,
    settings: &CommonSettings,
) -> Result<Option<sentry::ClientInitGuard>, SettingsError> {
    let Some(dsn) = dsn else {
        return Ok(None);
    };
    let dsn = dsn.expose_secret();
    // `ClientOptions::dsn` panics on a DSN that is none.
    dsn.parse::<sentry::types::Dsn>().map_err(|error| SettingsError(format!("SENTRY_DSN: {error}")))?;
    let guard = sentry::init(
        sentry::ClientOptions::new()
            .dsn(dsn)
            .release(concat!("sentry-bot@", env!("CARGO_PKG_VERSION")))
            .environment(settings.runtime_mode.name())
            .traces_sample_rate(settings.sentry_traces_sample_rate)
            .send_default_pii(false),
    );
    sentry::configure_scope(|scope| scope.set_tag("service", service));
    Ok(Some(guard))
}
