//! The sandbox over real sockets. It must refuse what Discord refuses, with
//! Discord's words.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod client;
mod components;
mod control;
mod demo;
mod edge;
mod ends;
mod faults;
mod forms;
mod gateway;
mod interactions;
mod limits;
mod members;
mod messages;
mod nonces;
mod options;
mod permissions;
mod pings;
mod rate_limits;
mod requests;
mod threads;
