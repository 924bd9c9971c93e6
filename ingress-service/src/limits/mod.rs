//! What keeps floods from hurting those who may send.
//!
//! Every customer of Sentry's shares seven addresses, so nothing that is valid
//! is limited by its address. What is limited is what comes from addresses that
//! may not send at all ([`connections`]), connections that wait for their sender
//! ([`lobby`], [`seats`], [`stream`]), the memory of bodies ([`room`]), questions about channels that were refused just now
//! ([`refused`]), and what refusals leave behind in the log ([`lines`]).

pub(crate) mod connections;
pub(crate) mod files;
pub(crate) mod lines;
mod lobby;
pub(crate) mod refused;
pub(crate) mod room;
mod seats;
pub(crate) mod stream;
