//! The ingress from outside: the real server over real TLS sockets, a real
//! nats-server behind it, and a verdict responder in the place of discord-service.

#![allow(clippy::unwrap_used, clippy::panic, unreachable_pub, reason = "tests")]

mod answers;
mod bodies;
mod certificates;
mod floods;
mod generated;
mod heads;
mod held;
mod keep_alive;
mod limits;
mod logs;
mod memory;
mod mutated;
mod mutated_senders;
mod outages;
mod payloads;
mod platform;
mod process;
mod refusals;
mod repeats;
mod senders;
mod settings;
mod slow;
mod sources;
mod states;
mod stored;
mod support;
mod tls;
mod trust;
