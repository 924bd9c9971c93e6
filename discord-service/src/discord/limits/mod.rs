//! Discord's rate limits, obeyed before they are hit.
//!
//! A request first waits for its bucket, then for a moment of the global rate;
//! in both, alerts go before what commands cause. The headers of answers name
//! the bucket of a route. Until it is known, one request at a time is sent for
//! each route and major parameter. A 429 is an exception, not the pace-maker.

mod bucket;
mod buckets_by_route;
mod global_limit;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rand::Rng as _;
use tokio::time::{Instant, sleep_until, timeout_at};

use self::{
    bucket::{RateBucket, Take},
    buckets_by_route::BucketsByRoute,
    global_limit::GlobalLimit,
};
use super::{
    answer::{Answer, Scope},
    route::Route,
};

/// How long everything stops after a 429 that does not say how long.
const UNTOLD: Duration = Duration::from_secs(5);
/// The wait after a 429 is a little longer than it says, at random between this
/// and twice this. So the pods do not come back at the same instant.
const JITTER: Duration = Duration::from_millis(50);

/// Who goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Priority {
    /// Alerts, and what they need.
    Alert,
    /// What commands cause: replies and look-ups. It waits while alerts wait, and
    /// leaves them a part of each window.
    Command,
}

/// The wait would outlast the caller's patience.
#[derive(Debug)]
pub(super) struct Outlasts;

/// Everything that is known of one bot's limits.
#[derive(Debug)]
pub(super) struct Limits {
    global: GlobalLimit,
    buckets: Mutex<BucketsByRoute>,
}

/// The right to send one request. Dropping it says that no answer came.
#[derive(Debug)]
pub(super) struct Permit<'a> {
    limits: &'a Limits,
    bucket: Arc<RateBucket>,
}

impl Limits {
    pub(super) fn new() -> Self {
        Self { global: GlobalLimit::new(Instant::now()), buckets: Mutex::new(BucketsByRoute::new()) }
    }

    /// Takes this pod's share of what all of them have together.
    pub(super) fn share_among(&self, pods: usize) {
        self.global.share_among(pods);
    }

    /// Whether there is room for requests that Discord will perhaps refuse.
    pub(super) fn may_be_refused(&self) -> bool {
        self.global.may_be_refused()
    }

    /// Waits until a request may go.
    ///
    /// # Errors
    /// As soon as it is certain that it may not before `deadline`.
    pub(super) async fn acquire(
        &self,
        route: &Route,
        priority: Priority,
        deadline: Instant,
    ) -> Result<Permit<'_>, Outlasts> {
        loop {
            let bucket = self.bucket(route);
            if let Some(permit) = self.enter(route, bucket, priority, deadline).await? {
                if route.counts_globally() {
                    self.global.pass(priority, deadline).await?;
                }
                return Ok(permit);
            }
        }
    }

    /// When a request would be let go, as far as that is known; may be over.
    pub(super) fn free_at(&self, route: &Route) -> Instant {
        let paused_until = self.global.paused_until();
        self.bucket(route).free_at().map_or(paused_until, |free| free.max(paused_until))
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
        self.bucket(route).used(Instant::now())
    }

    /// Waits in line; `None` when meanwhile the route turned out to belong to
    /// another bucket.
    async fn enter(
        &self,
        route: &Route,
        bucket: Arc<RateBucket>,
        priority: Priority,
        deadline: Instant,
    ) -> Result<Option<Permit<'_>>, Outlasts> {
        let waiting = bucket.queue(priority);
        let turn = timeout_at(deadline, bucket.turn(priority)).await.map_err(|_| Outlasts)?;
        loop {
            if !Arc::ptr_eq(&bucket, &self.bucket(route)) {
                return Ok(None);
            }
            match bucket.take(priority, Instant::now()) {
                Take::Go => break,
                Take::At(moment) if moment > deadline => return Err(Outlasts),
                Take::At(moment) => sleep_until(moment).await,
                Take::AfterAnother => {
                    timeout_at(deadline, bucket.woken(priority)).await.map_err(|_| Outlasts)?
                }
            }
        }
        drop((turn, waiting));
        Ok(Some(Permit { limits: self, bucket }))
    }

    fn bucket(&self, route: &Route) -> Arc<RateBucket> {
        self.buckets().of(route)
    }

    fn buckets(&self) -> MutexGuard<'_, BucketsByRoute> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Permit<'_> {
    /// The request was answered: learns what the answer tells.
    pub(super) fn answered(self, route: &Route, answer: &Answer) {
        let limits = self.limits;
        let now = Instant::now();
        let bucket =
            answer.bucket().map_or_else(|| Arc::clone(&self.bucket), |id| limits.buckets().learn(route, id));
        if let Some(window) = answer.window() {
            bucket.learn(window, Arc::ptr_eq(&bucket, &self.bucket), now);
        }
        match answer.status.as_u16() {
            429 => limits.back_off(route, &bucket, answer, now),
            401 | 403 => limits.global.count_invalid(),
            _ => {}
        }
        // Only now may the next in line look.
        drop(self);
    }
}

impl Limits {
    fn back_off(&self, route: &Route, bucket: &RateBucket, answer: &Answer, now: Instant) {
        let (scope, wait) = answer.rate_limited();
        let wait = wait.unwrap_or(UNTOLD);
        let until = now + padded(wait);
        metrics::counter!("sentry_bot_discord_rate_limited_total", "scope" => scope.name()).increment(1);
        tracing::warn!(
            route = route.label(),
            id = route.major(),
            scope = scope.name(),
            ?wait,
            "Discord answered 429"
        );
        // The bucket of edits has room for other messages.
        if answer.old_edits_limited().is_none() {
            bucket.block(until);
        }
        if scope.stops_all() {
            self.global.pause(until);
        }
        if scope != Scope::Shared {
            self.global.count_invalid();
        }
    }
}

/// A wait that a 429 asks for, a little longer.
pub(super) fn padded(wait: Duration) -> Duration {
    wait + JITTER + rand::rng().random_range(Duration::ZERO..JITTER.max(wait / 10))
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.bucket.end();
    }
}

#[cfg(test)]
mod tests;
