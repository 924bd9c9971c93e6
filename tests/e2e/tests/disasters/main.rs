//! Disasters at Discord's side, under a steady load, over the real binaries.
//! After each one the bot works again without an admin's command. Every
//! accepted alert is shown once or is a dead letter, and `status` told the
//! truth meanwhile.
//!
//! `make test` runs each with short clocks, `make soak` with the full figures.

mod absent;
mod access;
mod edge;
mod edits;
mod flood;
mod gateway;
mod scene;
mod truth;
