//! A stand-in for Discord at its wire: REST v10 and gateway v10 as Discord
//! documents them, and as strict. Tests hold it as a [`Sandbox`]; the program
//! `sandbox-discord` shows it to people.
//!
//! It plays what a bot that posts and answers commands needs. Whatever it does
//! not know it answers with 404 and reports: [`Sandbox::unknown_requests`].

mod config;
mod control;
pub mod demo;
mod error;
mod faults;
mod form;
mod gateway;
mod interactions;
mod limits;
mod nonce;
mod page;
pub mod permissions;
mod ratelimit;
mod rest;
mod sandbox;
mod server;
mod snowflake;
mod stats;
mod world;

pub use config::{Clocks, Config, Limit};
pub use faults::{Effect, Fault};
pub use gateway::sessions::SessionInfo;
pub use interactions::{Answer, Outcome};
pub use limits::mentions::Pings;
pub use ratelimit::Scope;
pub use sandbox::{Invocation, Sandbox};
pub use stats::Stats;
pub use world::{
    channel::{Channel, ChannelKind, Target},
    guild::{Guild, Role, User},
    message::Message,
};
