//! What keeps floods from hurting those who may send.
//!
//! Every customer of Sentry's shares seven addresses, so nothing that is valid
//! is limited by its address. What is limited is what comes from addresses that
//! may not send at all ([`limits`]), and connections that wait for their sender
//! ([`client_hello`], [`seats`], [`seated_stream`]).

pub(crate) mod certificate;
mod client_hello;
pub(crate) mod connection_state;
pub(crate) mod limits;
pub(crate) mod open_files;
pub(crate) mod seated_stream;
mod seats;
pub(crate) mod tls;
pub(crate) mod unreadable_request;
