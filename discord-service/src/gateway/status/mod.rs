//! How the shards are, for `/readyz` and `/metrics`.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, SecondsFormat, Utc};
use shared::admin::Readiness;
use tokio::time::Instant;

use super::shard_id::ShardId;

/// The name under which readiness reports the gateway.
const CHECK: &str = "gateway";
/// A shard that is up again within this time has missed nothing, and readiness stays.
const PATIENCE: Duration = Duration::from_secs(2);
/// The drops of this time are told with one that lasts.
const LATELY: Duration = Duration::from_secs(600);
/// More drops than these are not counted.
const MANY: usize = 100;
/// So many shards are named.
const NAMED: usize = 3;

/// The state of this process's shards.
pub(super) struct GatewayStatus {
    readiness: Readiness,
    shards: Mutex<BTreeMap<u32, Shard>>,
}

#[derive(Debug, Default)]
struct Shard {
    /// Why it receives no events; `None` while it does.
    trouble: Option<Trouble>,
    /// When it stopped receiving them lately.
    drops: VecDeque<Instant>,
}

#[derive(Debug)]
struct Trouble {
    why: String,
    since: DateTime<Utc>,
    /// From when on readiness says so.
    shown: Instant,
}

impl GatewayStatus {
    pub(super) fn new(readiness: Readiness) -> Self {
        readiness.set_unready(CHECK, "connecting");
        Self { readiness, shards: Mutex::default() }
    }

    /// The shard receives events.
    pub(super) fn up(&self, shard: ShardId) {
        self.change(|shards| shards.entry(shard.id).or_default().trouble = None);
    }

    /// The shard receives none, for this reason. One that has just become this
    /// process's is shown at once, another once that lasts.
    pub(super) fn down(&self, shard: ShardId, why: impl Into<String>) {
        let (why, now) = (why.into(), Instant::now());
        self.change(|shards| {
            let is_new = !shards.contains_key(&shard.id);
            let Shard { trouble, drops } = shards.entry(shard.id).or_default();
            match trouble {
                Some(trouble) => trouble.why = why,
                None => {
                    let shown = if is_new { now } else { now + PATIENCE };
                    *trouble = Some(Trouble { why, since: Utc::now(), shown });
                    if !is_new {
                        drops.push_back(now);
                        drops.drain(..drops.len().saturating_sub(MANY));
                    }
                }
            }
        });
    }

    /// The shard is no longer this process's.
    pub(super) fn forget(&self, shard: ShardId) {
        self.change(|shards| {
            shards.remove(&shard.id);
        });
    }

    /// Brings the readiness up to date, which time alone may change, once it is
    /// known which shards this process has, if any.
    pub(super) fn show(&self) {
        self.change(|_| {});
    }

    fn change(&self, change: impl FnOnce(&mut BTreeMap<u32, Shard>)) {
        let mut shards = self.shards.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut shards);
        let up = shards.values().filter(|shard| shard.trouble.is_none()).count();
        metrics::gauge!("sentry_bot_gateway_shards_up").set(up as f64);
        match words(&shards, Instant::now()) {
            None => self.readiness.set_ready(CHECK),
            Some(words) => self.readiness.set_unready(CHECK, words),
        }
    }
}

/// Which shards are down, since when and why; `None` where none is for long.
fn words(shards: &BTreeMap<u32, Shard>, now: Instant) -> Option<String> {
    let down = shards.iter().filter_map(|(id, shard)| {
        let trouble = shard.trouble.as_ref().filter(|trouble| trouble.shown <= now)?;
        let since = trouble.since.to_rfc3339_opts(SecondsFormat::Secs, true);
        let lately = shard.drops.iter().filter(|drop| now.duration_since(**drop) < LATELY).count();
        let often = match lately {
            0 | 1 => String::new(),
            times => format!(" ({times} times in ten minutes)"),
        };
        Some(format!("shard {id}: down since {since}{often}, {}", trouble.why))
    });
    let mut down: Vec<String> = down.collect();
    let more = down.len().saturating_sub(NAMED);
    down.truncate(NAMED);
    if more > 0 {
        down.push(format!("and {more} more"));
    }
    (!down.is_empty()).then(|| down.join("; "))
}

#[cfg(test)]
mod tests;
