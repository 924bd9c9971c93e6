//! Connecting to NATS, and the streams that must exist there.

mod apply;
mod connection;
mod lacks;
mod rights;
mod streams;
mod table;
#[cfg(test)]
mod table_tests;

pub use self::{
    connection::{check, connect},
    lacks::Lacks,
    streams::{Streams, ensure, ensure_store},
    table::{DUPLICATE_WINDOW, SEEN_FOR},
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
