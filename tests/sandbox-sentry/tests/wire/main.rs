//! The sandbox over real sockets. It must answer as Sentry answers.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod archive;
mod assign;
mod client;
mod comments;
mod control;
mod ends;
mod events;
mod faults;
mod lists;
mod organizations;
mod paths;
mod program;
mod rate_limits;
mod receiver;
mod reopen;
mod resolve;
mod tokens;
mod validation;
mod webhooks;
