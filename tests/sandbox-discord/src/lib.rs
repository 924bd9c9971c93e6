#![doc = include_str!("../README.md")]

mod admin;
mod config;
mod control;
pub mod demo;
mod edge;
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
pub use edge::EdgeAnswer;
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
