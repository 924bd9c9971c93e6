//! One webhook, from its request to its answer.

pub(crate) mod body;
pub(crate) mod body_memory;
pub(crate) mod handler;
pub mod query;
mod rejection;
pub(crate) mod services;
mod store_alert;
mod trace;
