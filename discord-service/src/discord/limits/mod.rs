//! Discord's rate limits, obeyed before they are hit.
//!
//! A request first waits for its bucket, then for a moment of the global rate.
//! Buckets are known from the headers of answers: which bucket a route belongs
//! to is learned, and until it is, one request at a time goes for each route
//! and major parameter. A 429 is an exception, not the pace-maker.

mod gate;
mod lane;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rand::Rng as _;
use tokio::time::{Instant, sleep_until, timeout_at};

pub use self::gate::GLOBAL_RATE;
use self::{
    gate::Gate,
    lane::{Lane, Take},
};
use super::{
    answer::{Answer, Scope},
    route::Route,
};

/// How long everything stops after a 429 that does not say how long.
const UNTOLD: Duration = Duration::from_secs(5);
/// A 429 is waited out a little longer than it says, at random between this
/// and twice this, so that pods do not come back at the same instant.
const JITTER: Duration = Duration::from_millis(50);
/// Idle lanes are looked for when there are this many.
const SWEEP_FROM: usize = 1_024;

/// The wait would outlast the caller's patience.
#[derive(Debug)]
pub(super) struct Outlasts;

/// Everything that is known of one bot's limits.
#[derive(Debug)]
pub(super) struct Limits {
    gate: Gate,
    known: Mutex<Known>,
}

#[derive(Debug)]
struct Known {
    /// The bucket that a route's answers named last; routes are few.
    buckets: HashMap<String, Arc<str>>,
    lanes: HashMap<LaneKey, Arc<Lane>>,
    sweep_at: usize,
}

/// A bucket's id, or the route while that is not known, and the major parameter.
type LaneKey = (Arc<str>, Option<Box<str>>);

/// The right to send one request. Dropping it says that no answer came.
#[derive(Debug)]
pub(super) struct Permit<'a> {
    limits: &'a Limits,
    lane: Arc<Lane>,
}

impl Limits {
    pub(super) fn new() -> Self {
        Self {
            gate: Gate::new(Instant::now()),
            known: Mutex::new(Known { buckets: HashMap::new(), lanes: HashMap::new(), sweep_at: SWEEP_FROM }),
        }
    }

    /// Changes how many requests a second may go in all.
    pub(super) fn set_rate(&self, per_second: f64) {
        self.gate.set_rate(per_second);
    }

    /// Waits until a request may go.
    ///
    /// # Errors
    /// As soon as it is certain that it may not before `deadline`.
    pub(super) async fn acquire(&self, route: &Route, deadline: Instant) -> Result<Permit<'_>, Outlasts> {
        loop {
            let lane = self.lane(route);
            if let Some(permit) = self.enter(route, lane, deadline).await? {
                if route.counts_globally() {
                    self.gate.pass(deadline).await?;
                }
                return Ok(permit);
            }
        }
    }

    /// When a request would be let go, as far as that is known; may be over.
    pub(super) fn free_at(&self, route: &Route) -> Instant {
        let paused_until = self.gate.paused_until();
        self.lane(route).free_at().map_or(paused_until, |free| free.max(paused_until))
    }

    /// Waits until a request would be let go, without taking its place in line.
    pub(super) async fn until_free(&self, route: &Route) {
        loop {
            let moment = self.free_at(route);
            if moment <= Instant::now() {
                return;
            }
            sleep_until(moment).await;
        }
    }

    /// Which share of the route's present window is used.
    pub(super) fn used(&self, route: &Route) -> f64 {
        self.lane(route).used(Instant::now())
    }

    /// Waits in line; `None` when meanwhile the route turned out to belong to
    /// another bucket.
    async fn enter(
        &self,
        route: &Route,
        lane: Arc<Lane>,
        deadline: Instant,
    ) -> Result<Option<Permit<'_>>, Outlasts> {
        let turn = timeout_at(deadline, lane.turn.lock()).await.map_err(|_| Outlasts)?;
        loop {
            if !Arc::ptr_eq(&lane, &self.lane(route)) {
                return Ok(None);
            }
            match lane.take(Instant::now()) {
                Take::Go => break,
                Take::At(moment) if moment > deadline => return Err(Outlasts),
                Take::At(moment) => sleep_until(moment).await,
                Take::AfterAnother => {
                    timeout_at(deadline, lane.ended.notified()).await.map_err(|_| Outlasts)?
                }
            }
        }
        drop(turn);
        Ok(Some(Permit { limits: self, lane }))
    }

    fn lane(&self, route: &Route) -> Arc<Lane> {
        let mut known = self.known();
        let label = route.label();
        let bucket = known.buckets.get(&label).cloned().unwrap_or_else(|| label.into());
        known.lane((bucket, route.major().map(Into::into)))
    }

    fn learn(&self, route: &Route, bucket: &str) -> Arc<Lane> {
        let mut known = self.known();
        let label = route.label();
        let bucket = match known.buckets.get(&label) {
            Some(same) if **same == *bucket => Arc::clone(same),
            _ => {
                let bucket: Arc<str> = bucket.into();
                known.buckets.insert(label, Arc::clone(&bucket));
                bucket
            }
        };
        known.lane((bucket, route.major().map(Into::into)))
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn lane(&mut self, key: LaneKey) -> Arc<Lane> {
        if self.lanes.len() >= self.sweep_at {
            let now = Instant::now();
            self.lanes.retain(|_, lane| Arc::strong_count(lane) > 1 || !lane.is_idle(now));
            self.sweep_at = SWEEP_FROM.max(2 * self.lanes.len());
        }
        Arc::clone(self.lanes.entry(key).or_default())
    }
}

impl Permit<'_> {
    /// The request was answered: learns what the answer tells.
    pub(super) fn answered(self, route: &Route, answer: &Answer) {
        let limits = self.limits;
        let now = Instant::now();
        let lane = answer.bucket().map_or_else(|| Arc::clone(&self.lane), |id| limits.learn(route, id));
        if let Some(window) = answer.window() {
            lane.learn(window, Arc::ptr_eq(&lane, &self.lane), now);
        }
        match answer.status.as_u16() {
            429 => limits.back_off(&lane, answer, now),
            401 | 403 => limits.gate.count_invalid(),
            _ => {}
        }
        // Only now may the next in line look.
        drop(self);
    }
}

impl Limits {
    fn back_off(&self, lane: &Lane, answer: &Answer, now: Instant) {
        let (scope, wait) = answer.rate_limited();
        let wait = wait.unwrap_or(UNTOLD);
        let until = now + padded(wait);
        metrics::counter!("sentry_bot_discord_rate_limited_total", "scope" => scope.name()).increment(1);
        tracing::warn!(scope = scope.name(), ?wait, "Discord answered 429");
        // The bucket of edits has room for other messages.
        if answer.old_edits_limited().is_none() {
            lane.block(until);
        }
        if scope.stops_all() {
            self.gate.pause(until);
        }
        if scope != Scope::Shared {
            self.gate.count_invalid();
        }
    }
}

/// A wait that a 429 asks for, a little longer.
pub(super) fn padded(wait: Duration) -> Duration {
    wait + JITTER + rand::rng().random_range(Duration::ZERO..JITTER.max(wait / 10))
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.lane.end();
    }
}

#[cfg(test)]
mod tests {
    use reqwest::Method;

    use super::*;

    #[tokio::test]
    async fn idle_lanes_are_forgotten() {
        let limits = Limits::new();
        let deadline = Instant::now() + Duration::from_secs(60);
        limits.set_rate(1e9);
        for channel in 0..3 * SWEEP_FROM {
            let route = Route::new(&Method::POST, &format!("/channels/{channel}/messages"));
            drop(limits.acquire(&route, deadline).await.expect("nothing stands in the way"));
        }
        assert!(limits.known().lanes.len() <= SWEEP_FROM);
    }

    #[tokio::test]
    async fn a_dropped_request_lets_the_next_one_go() {
        let limits = Limits::new();
        let deadline = Instant::now() + Duration::from_secs(60);
        let route = Route::new(&Method::POST, "/channels/1/messages");
        let first = limits.acquire(&route, deadline).await.expect("the first goes");
        let (second, ()) = tokio::join!(limits.acquire(&route, deadline), async { drop(first) });
        assert!(second.is_ok());
    }
}
