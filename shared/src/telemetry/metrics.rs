//! Metrics. Each service has one table of them with a help text, which
//! `/metrics` shows.

use std::{io, thread, time::Duration};

use metrics_exporter_prometheus::PrometheusHandle;

/// How often measured times are put into their buckets. Until then each one
/// takes memory, so a `/metrics` that nobody reads would grow with every
/// request.
const KEEP_UP_EVERY: Duration = Duration::from_secs(1);

/// Keeps the measurements small while the process runs, even if nobody asks for
/// `/metrics`.
pub(super) fn keep_up(handle: PrometheusHandle) -> io::Result<()> {
    let keep_up = move || {
        loop {
            thread::sleep(KEEP_UP_EVERY);
            handle.run_upkeep();
        }
    };
    thread::Builder::new().name("metrics".to_owned()).spawn(keep_up).map(drop)
}

/// The kinds of metrics in Prometheus that we use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricKind {
    /// It only grows, and begins at zero with each process.
    Counter,
    /// It goes up and down.
    Gauge,
    /// Times, in seconds, by buckets.
    Histogram,
}

/// One metric of a service.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    /// Its name in `/metrics`.
    pub name: &'static str,
    /// Its kind.
    pub kind: MetricKind,
    /// Its help text, for operators.
    pub help: &'static str,
    zeros: Zeros,
}

/// Which series of a counter begin at zero. Prometheus sees no increase in a
/// series that begins above.
#[derive(Debug, Clone, Copy)]
enum Zeros {
    None,
    Bare,
    Values(&'static str, &'static [&'static str]),
}

impl Metric {
    /// A counter.
    pub const fn counter(name: &'static str, help: &'static str) -> Self {
        Self { name, kind: MetricKind::Counter, help, zeros: Zeros::None }
    }

    /// A gauge.
    pub const fn gauge(name: &'static str, help: &'static str) -> Self {
        Self { name, kind: MetricKind::Gauge, help, zeros: Zeros::None }
    }

    /// A histogram of times.
    pub const fn seconds(name: &'static str, help: &'static str) -> Self {
        Self { name, kind: MetricKind::Histogram, help, zeros: Zeros::None }
    }

    /// `/metrics` shows the counter, without labels, from the start.
    #[must_use]
    pub const fn zero(self) -> Self {
        Self { zeros: Zeros::Bare, ..self }
    }

    /// `/metrics` shows the counter with each of these values of a label from the start.
    #[must_use]
    pub const fn values(self, label: &'static str, values: &'static [&'static str]) -> Self {
        Self { zeros: Zeros::Values(label, values), ..self }
    }

    /// What both services export.
    pub const COMMON: &'static [Self] = &[
        Self::gauge(BUILD, "1; the labels say which service of which version this is"),
        Self::counter(LOGGED, "Warnings and errors that this program logged, by level")
            .values("level", &["error", "warning"]),
        Self::counter(
            "sentry_bot_reports_dropped_total",
            "Events kept from the operator's Sentry, to spare its quota",
        )
        .zero(),
        Self::counter(
            "sentry_bot_streams_lost_total",
            "Streams and buckets that NATS had lost and that were made again, empty",
        )
        .values("stream", STREAMS),
    ];
}

/// The streams and buckets of [`crate::bus`], for the label.
pub(crate) const STREAMS: &[&str] = &[
    "ALERTS",
    "DEAD_LETTERS",
    "KV_channel-list",
    "KV_channel-rules",
    "KV_channel-trust",
    "KV_channels",
    "KV_lanes",
    "KV_leases",
    "KV_messages",
    "KV_refusals",
    "KV_routed",
    "KV_seen",
    "KV_sources",
    "KV_stack_traces",
    "KV_trust",
    "KV_user-projects",
];

const BUILD: &str = "sentry_bot_build_info";
pub(super) const LOGGED: &str = "sentry_bot_log_events_total";

/// Describes all metrics of this process.
pub(super) fn describe(service: &'static str, own: &[Metric]) {
    for Metric { name, kind, help, zeros } in Metric::COMMON.iter().chain(own) {
        match kind {
            MetricKind::Counter => metrics::describe_counter!(*name, *help),
            MetricKind::Gauge => metrics::describe_gauge!(*name, *help),
            MetricKind::Histogram => metrics::describe_histogram!(*name, metrics::Unit::Seconds, *help),
        }
        match zeros {
            Zeros::None => {}
            Zeros::Bare => metrics::counter!(*name).absolute(0),
            Zeros::Values(label, values) => {
                for value in *values {
                    metrics::counter!(*name, *label => *value).absolute(0);
                }
            }
        }
    }
    metrics::gauge!(BUILD, "service" => service, "version" => env!("CARGO_PKG_VERSION")).set(1.0);
}
