//! The ingress from outside: the real server over real TLS sockets, a real
//! nats-server behind it, and a verdict responder in the place of discord-service.

#![allow(clippy::unwrap_used, clippy::panic, unreachable_pub, reason = "tests")]

mod answers;
mod binary;
mod bodies;
mod certificates;
mod generated;
mod limits;
mod mutated;
mod outages;
mod payloads;
mod platform;
mod refusals;
mod repeats;
mod slow;
mod sources;
mod stored;
mod support;
mod trust;
