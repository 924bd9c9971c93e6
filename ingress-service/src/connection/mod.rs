//! What protects those who may send from floods.
//!
//! All customers of Sentry share seven addresses, so no address limits valid
//! requests. Limits hold for addresses that may not send at all ([`limits`]),
//! and for connections that wait for their sender ([`client_hello`], [`seats`],
//! [`seated_stream`]).

pub(crate) mod certificate;
mod client_hello;
pub(crate) mod connection_state;
pub(crate) mod http_connection;
pub(crate) mod limits;
pub(crate) mod open_files;
pub(crate) mod seated_stream;
mod seats;
pub(crate) mod tls;
pub(crate) mod unreadable_request;
