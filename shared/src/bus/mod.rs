//! The connection to NATS, and the streams that must exist there.

mod apply_stream;
mod connection;
mod missing_rights;
pub mod retention;
mod rights;
mod stream_table;
mod streams;

pub use self::{
    connection::{check, connect},
    missing_rights::MissingRights,
    streams::{Streams, ensure, ensure_store},
};

/// Which service asks. Only discord-service changes streams that exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Creates missing streams that both services need.
    Ingress,
    /// Creates missing streams and brings the others up to date.
    Discord,
    /// Like [`Role::Discord`], with NATS as its store.
    DiscordWithStore,
}
