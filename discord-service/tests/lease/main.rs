//! Leases against a real NATS: one owner at a time, whatever happens.

mod arena;
mod churn;
mod promises;
