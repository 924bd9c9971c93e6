//! Takes Sentry's webhooks over HTTPS, asks discord-service whether the channel
//! may be posted to, and stores the alert in JetStream before it answers.
//! docs/ARCHITECTURE.md follows one alert through here; design terms are those
//! of the HTTP contract.

mod answer;
mod app;
mod backstop;
mod body;
mod certificate;
mod deadlines;
mod hand_over;
mod head;
mod limits;
mod message_id;
pub mod metrics;
mod openapi;
#[doc(hidden)]
pub mod oracles;
pub mod payload;
pub mod query;
mod queue;
mod refusals;
mod replies;
mod report;
mod self_signed;
mod server;
pub mod settings;
pub mod sources;
mod tls;
mod trace;
mod trust;
mod verdict;
mod webhook;

pub use app::Application;
