//! Plays Sentry: builds the requests that Sentry makes and sends them as Sentry
//! does. A library for the tests, and the program `sentry-sender` for whoever
//! wants to try a set-up of their own without a Sentry.
//!
//! What is imitated: the two families of webhooks with their headers, a new TLS
//! connection for every request, no redirects followed, nothing ever repeated,
//! and Sentry's time limits.

pub mod body;
pub mod sender;
pub mod webhook;

pub use sender::{Reply, SendError, Sender, Trust};
pub use webhook::Webhook;
