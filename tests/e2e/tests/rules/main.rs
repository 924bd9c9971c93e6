//! Rules and mutes: each alert comes out where its channel's rules say, once, and
//! mutes end by themselves.

mod books;
mod copies;
mod crashes;
mod hop;
mod isolation;
mod issues;
mod mentions;
mod pods;
mod scene;
mod store;
mod story;
mod targets;
