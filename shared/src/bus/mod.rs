//! Connecting to NATS, and the streams that must exist there.

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

/// Which service asks: only discord-service changes what exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Creates what is missing of what both need.
    Ingress,
    /// Creates what is missing and brings what exists up to date.
    Discord,
    /// The same, and NATS is its store.
    DiscordWithStore,
}
