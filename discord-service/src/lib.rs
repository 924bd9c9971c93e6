//! Decides from the store who may post where, posts alerts to Discord, and
//! answers commands. docs/ARCHITECTURE.md follows one alert through here.

pub mod app;
pub mod authority;
mod batch;
pub mod cli;
pub mod closure;
pub mod commands;
pub mod dead_letters;
pub mod delivery;
pub mod diagnosis;
pub mod discord;
pub mod gateway;
pub mod leader;
pub mod lease;
pub mod metrics;
pub mod render;
pub mod reopening;
mod sequences;
pub mod settings;
pub mod sources;
pub mod store;
pub mod tally;
pub mod trust;
pub mod verdicts;
