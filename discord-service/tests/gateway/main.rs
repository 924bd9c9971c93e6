//! The gateway client, against the sandbox Discord and against a scripted gateway.

mod budget;
mod ends;
mod reopening;
mod rows;
mod scene;
mod script;
mod serving;
mod sessions;
