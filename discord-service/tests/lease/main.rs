//! Leases against a real NATS: one owner at a time, whatever happens.

#![allow(clippy::print_stdout, reason = "what was measured is shown")]

mod arena;
mod churn;
mod promises;
mod unreadable;
