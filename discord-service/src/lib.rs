//! Decides from the store who may post where, posts alerts to Discord, and
//! answers commands. docs/ARCHITECTURE.md follows one alert through here.

pub mod commands;
pub mod delivery;
pub mod discord;
pub mod gateway;
pub mod render;
pub mod settings;
pub mod store;
