//! The whole product as a user has it: a real nats-server, both binaries, and
//! the sandbox Discord, with a sender that plays Sentry. Used by the tests in
//! this package.

mod shown;
mod stack;

pub use shown::{Shown, shown};
pub use stack::{Builder, Stack};
