//! Takes Sentry's webhooks over HTTPS, asks discord-service whether the channel
//! may be posted to, and stores the alert in JetStream before it answers.
//! docs/ARCHITECTURE.md follows one alert through this code and has a glossary.

mod app;
mod connection;
pub mod deadlines;
mod endpoint;
mod listener;
pub mod metrics;
mod openapi;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod oracles;
pub mod payload;
mod queue;
mod refusal_notes;
pub mod request;
mod request_log;
mod response;
pub mod settings;
pub mod sources;
mod trust;
mod verdict;

pub use app::Application;
