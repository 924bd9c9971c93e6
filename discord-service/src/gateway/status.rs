//! How the shards are, for `/readyz` and `/metrics`.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use shared::admin::Readiness;

use super::ShardId;

/// The name under which readiness reports the gateway.
const CHECK: &str = "gateway";

/// How a shard is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// It receives events.
    Up,
    /// It does not, but works on it.
    Down(&'static str),
    /// Discord closed it for good.
    Off {
        /// The close code.
        code: u16,
        /// What it means.
        why: &'static str,
    },
}

/// The state of this process's shards.
pub(super) struct Status {
    readiness: Readiness,
    shards: Mutex<BTreeMap<u32, State>>,
}

impl Status {
    pub(super) fn new(readiness: Readiness) -> Self {
        readiness.set_unready(CHECK, "connecting");
        Self { readiness, shards: Mutex::default() }
    }

    /// It is known which shards this process has, if any.
    pub(super) fn begin(&self) {
        self.change(|_| {});
    }

    pub(super) fn set(&self, shard: ShardId, state: State) {
        self.change(|shards| {
            shards.insert(shard.id, state);
        });
    }

    /// The shard is no longer this process's.
    pub(super) fn forget(&self, shard: ShardId) {
        self.change(|shards| {
            shards.remove(&shard.id);
        });
    }

    fn change(&self, change: impl FnOnce(&mut BTreeMap<u32, State>)) {
        let mut shards = self.shards.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut shards);
        let up = shards.values().filter(|state| **state == State::Up).count();
        metrics::gauge!("sentry_bot_gateway_shards_up").set(up as f64);
        match shards.iter().find(|(_, state)| **state != State::Up) {
            None => self.readiness.set_ready(CHECK),
            Some((id, State::Off { code, why })) => {
                self.readiness
                    .set_unready(CHECK, format!("shard {id}: closed with {code}, {why}; commands are off"));
            }
            Some((id, State::Down(why))) => self.readiness.set_unready(CHECK, format!("shard {id}: {why}")),
            Some((_, State::Up)) => {}
        }
    }
}
