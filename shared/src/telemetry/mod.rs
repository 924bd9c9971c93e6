//! Logs, metrics and the operator's own Sentry, set up once at start.

mod log_counter;
mod metrics;
mod own_sentry;
mod report_quota;
mod scrub;

use std::io::IsTerminal as _;

use anyhow::Context as _;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing::{Level, Metadata};
use tracing_subscriber::{
    EnvFilter, Layer as _,
    filter::{FilterExt as _, filter_fn},
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

#[cfg(test)]
pub(crate) use self::metrics::STREAMS;
pub use self::{
    metrics::{Metric, MetricKind},
    own_sentry::{capture, is_own, start_sentry},
};
use crate::settings::{LogFormat, SettingsError};

/// What is logged when `RUST_LOG` is not set. serenity's INFO spans print whole
/// request bodies, and its gateway is chatty. async_nats repeats with each
/// attempt why it cannot connect, which `bus` says once. actix_http logs an
/// error when a stranger sends something that is not HTTP.
const DEFAULT_FILTER: &str = "info,serenity=warn,async_nats=warn,async_nats::connector=off,firestore=warn,gcloud_sdk=warn,actix_server=warn,actix_http=off";

/// Libraries that never log below `info`, even if `RUST_LOG` says so. They
/// would print the password for NATS, and every frame of the gateway. Those
/// hold the bot's token, and what people type into modals.
const NEVER_TRACED: [&str; 3] = ["tungstenite", "tokio_tungstenite", "async_nats"];

/// Buckets for every histogram in seconds: from a publish (0.3 ms) to a storm's drain.
const SECONDS: &[f64] = &[
    0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0,
];

/// Starts the log on standard error, and the metrics. `own` are the service's
/// metrics.
///
/// # Errors
/// When `RUST_LOG` cannot be parsed, or when it is called twice.
pub fn init(
    service: &'static str,
    format: Option<LogFormat>,
    own: &[Metric],
) -> anyhow::Result<PrometheusHandle> {
    let filter = match std::env::var("RUST_LOG").ok().filter(|value| !value.is_empty()) {
        Some(value) => {
            EnvFilter::try_new(value).map_err(|error| SettingsError(format!("RUST_LOG: {error}")))?
        }
        None => EnvFilter::new(DEFAULT_FILTER),
    };
    let format = format
        .unwrap_or_else(|| if std::io::stderr().is_terminal() { LogFormat::Pretty } else { LogFormat::Json });
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let layer = match format {
        LogFormat::Pretty => layer.boxed(),
        LogFormat::Json => layer.json().flatten_event(true).with_span_list(false).boxed(),
    };
    tracing_subscriber::registry()
        .with(layer.with_filter(filter.and(filter_fn(is_printable))))
        .with(log_counter::CountErrors)
        .with(own_sentry::layer())
        .try_init()
        .context("logging is already set up")?;
    log_panics(format);
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), SECONDS)
        .context("histogram buckets")?
        .install_recorder()
        .context("metrics are already set up")?;
    metrics::describe(service, own);
    metrics::keep_up(handle.clone())?;
    Ok(handle)
}

fn is_printable(metadata: &Metadata<'_>) -> bool {
    let library = metadata.target().split("::").next().unwrap_or_default();
    *metadata.level() <= Level::INFO || !NEVER_TRACED.contains(&library)
}

/// Logs a panic, reports it, and ends the process: a half-dead process would
/// hold its leases and look healthy.
fn log_panics(format: LogFormat) {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let place = info.location().map(tracing::field::display);
        let what = info.payload_as_str().unwrap_or("a panic without words");
        tracing::error!(panic = what, place, "panicked; ending the process");
        // A backtrace is not JSON.
        if format == LogFormat::Pretty {
            report(info);
        }
        own_sentry::flush();
        std::process::abort();
    }));
}
