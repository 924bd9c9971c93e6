//! Plays Sentry: builds the requests that Sentry makes and sends them as Sentry
//! does. It is a library for the tests, and the program `sentry-sender` for
//! people who want to try a set-up without a Sentry.
//!
//! It imitates the two families of webhooks with their headers, and Sentry's
//! time limits. Every request opens a new TLS connection, follows no redirect,
//! and is never repeated.

pub mod body;
pub mod sender;
pub mod webhook;

pub use sender::{Reply, SendError, Sender, Trust};
pub use webhook::Webhook;
