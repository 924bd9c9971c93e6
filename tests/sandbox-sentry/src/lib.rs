#![doc = include_str!("../README.md")]

mod api;
mod config;
mod control;
pub mod demo;
mod faults;
mod hooks;
mod id;
mod page;
mod ratelimit;
mod sandbox;
mod server;
mod update;
mod world;

pub use api::routes::endpoint;
pub use config::{ArchiveHooks, Config, LimitBody, RateLimit, RateLimits};
pub use faults::{Effect, Fault, HttpAnswer};
pub use hooks::{Delivery, Target};
pub use sandbox::SandboxSentry;
pub use sentry_sender::Trust;
pub use world::{
    Request,
    event::{Event, Frame},
    issue::{Activity, Issue, Status, Substatus},
    organization::{Member, Organization, Project, Team},
    token::{Actor, Token},
};
