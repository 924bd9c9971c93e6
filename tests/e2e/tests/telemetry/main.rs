//! What operators see of a running product: metrics, logs, and reports in their
//! own Sentry.

mod metrics;
mod reports;
