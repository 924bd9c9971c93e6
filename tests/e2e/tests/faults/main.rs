//! Faults, seeded and repeatable, with the real binaries. At the end of each
//! test every accepted alert is shown or is a dead letter.
//!
//! `make test` runs each kind of fault once and fast; `make soak` the same
//! tests with the full figures.

mod discord;
mod edge;
mod flood;
mod healing;
mod isolation;
mod kills;
mod latency;
mod letters;
mod limits;
mod poison;
mod pressure;
mod revoked;
mod store;
mod storms;
mod token;
mod unscraped;

use std::time::Duration;

use e2e::{Builder, Stack, soak};
use sandbox_discord::{Config, Limit};

/// The longest that a test waits until every alert is posted or a dead letter.
const SETTLED: Duration = Duration::from_secs(300);

/// Discord with its real limits for `make soak`, and with a faster window of a
/// channel otherwise.
fn discord() -> Config {
    Config::default().clocks(|clocks| {
        clocks.identify_window = Duration::from_millis(200);
        if !soak() {
            clocks.channel = Limit::new(5, Duration::from_millis(250));
        }
    })
}

fn builder() -> Builder {
    Stack::builder().sandbox(discord())
}
