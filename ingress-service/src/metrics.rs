//! What the ingress counts and measures, beside [`Metric::COMMON`].

use shared::telemetry::Metric;

use strum::VariantNames as _;

use crate::{response::WebhookResponse, trust::TrustOutcome, verdict::NoVerdict};

/// Every metric of the ingress.
pub const METRICS: &[Metric] = &[
    Metric::counter("sentry_bot_ingress_requests_total", "Requests by outcome: how each was answered")
        .values("outcome", WebhookResponse::VARIANTS),
    Metric::seconds(
        "sentry_bot_ingress_handshake_seconds",
        "From a connection's seat to the end of its TLS handshake",
    ),
    Metric::seconds("sentry_bot_ingress_request_seconds", "From a request's head to its answer"),
    Metric::counter("sentry_bot_ingress_ignored_total", "Webhooks of a kind that is not posted, by resource"),
    Metric::counter("sentry_bot_ingress_duplicates_total", "Alerts that NATS had stored before").zero(),
    Metric::counter(
        "sentry_bot_ingress_trust_total",
        "Webhooks by what they were trusted for, or why they were not",
    )
    .values("outcome", TrustOutcome::VARIANTS),
    Metric::counter(
        "sentry_bot_ingress_connections_closed_total",
        "Connections that had to give way, and why",
    )
    .values("why", &["idle", "silent", "stranger"]),
    Metric::counter(
        "sentry_bot_ingress_held_total",
        "Webhooks that waited for NATS to be there, and whether it came in time",
    )
    .values("outcome", &["released", "given_up"]),
    Metric::counter(
        "sentry_bot_ingress_refusals_not_noted_total",
        "Refusals that `status` will not show: too many at once",
    )
    .zero(),
    Metric::counter(
        "sentry_bot_ingress_source_refusals_total",
        "Requests from addresses that are not let in, by the program that they name: Sentry or another",
    )
    .values("agent", &["sentry", "other"]),
    Metric::gauge(
        "sentry_bot_ingress_sentry_networks",
        "Networks that the word `sentry` in ALLOWED_SOURCES stands for now",
    ),
    Metric::seconds("sentry_bot_ingress_store_seconds", "From publishing an alert to NATS's acknowledgement"),
    Metric::seconds(
        "sentry_bot_ingress_verdict_seconds",
        "From asking for a verdict to having or lacking it",
    ),
    Metric::counter(
        "sentry_bot_ingress_without_verdict_total",
        "Alerts stored or refused without a verdict, and why",
    )
    .values("why", NoVerdict::VARIANTS),
    Metric::gauge(
        "sentry_bot_ingress_certificate_expiry_timestamp_seconds",
        "When the certificate in use expires, in seconds since 1970",
    ),
    Metric::counter(
        "sentry_bot_ingress_certificate_failures_total",
        "New certificates that could not be used",
    )
    .zero(),
];
