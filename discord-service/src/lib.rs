//! Decides from the store who may post where, posts alerts to Discord, and
//! answers commands. docs/ARCHITECTURE.md follows one alert through here.

pub mod app;
pub mod authority;
pub mod cli;
pub mod closure;
pub mod commands;
pub mod dead_letters;
pub mod delivery;
pub mod diagnosis;
mod direct_get;
pub mod discord;
pub mod gateway;
mod guilds;
pub mod kv;
mod leader_stream;
pub mod lease;
pub mod metrics;
mod rate_budget;
pub mod render;
pub mod reopening;
pub mod rules;
pub mod sentry_addresses;
mod sequences;
pub mod settings;
mod snowflake;
pub mod stack_trace;
pub mod store;
pub mod tally;
pub mod trust;
pub mod verdict_responder;
