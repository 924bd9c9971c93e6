//! What operators see of a running product: metrics, logs, and reports in their
//! own Sentry.

#![allow(clippy::panic, reason = "a test that cannot read what it checks ends there, with the reason")]

mod metrics;
mod reports;
