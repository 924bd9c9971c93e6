//! The whole product as a user has it: a real nats-server, both binaries, and
//! the sandbox Discord, with a sender that plays Sentry. Used by the tests in
//! this package.

mod dead;
mod issue;
mod ledger;
mod seed;
mod shown;
mod slash;
mod stack;
mod status;
mod storm;

pub use dead::Dead;
pub use harness::figures::{report, scaled, soak};
pub use issue::{event_alert, issue_change, regression};
pub use ledger::Ledger;
pub use seed::{Seed, worst_but_one};
pub use shown::{Shown, is_modern, shown};
pub use stack::{Builder, Stack};
pub use storm::{Storm, alert, publish, publish_alerts};
