//! Which bucket each route belongs to, and all buckets.

use std::{collections::HashMap, sync::Arc};

use tokio::time::Instant;

use super::bucket::RateBucket;
use crate::discord::route::Route;

/// Idle buckets are looked for when there are this many.
const SWEEP_FROM: usize = 1_024;

/// What splits a limit within a bucket or a route, such as the channel.
type Major = Option<Box<str>>;

/// What was learnt of each route with each major parameter. Discord may give a
/// route's buckets one id, or another one in each channel.
#[derive(Debug)]
pub(super) struct BucketsByRoute {
    routes: HashMap<(String, Major), Assigned>,
    by_id: HashMap<(Arc<str>, Major), Arc<RateBucket>>,
    sweep_at: usize,
}

#[derive(Debug, Default)]
struct Assigned {
    bucket: Arc<RateBucket>,
    /// `None` until an answer named it.
    id: Option<Arc<str>>,
}

impl BucketsByRoute {
    pub(super) fn new() -> Self {
        Self { routes: HashMap::new(), by_id: HashMap::new(), sweep_at: SWEEP_FROM }
    }

    /// The route's bucket, as far as is known: one of its own until an answer names
    /// one that it shares with others.
    pub(super) fn of(&mut self, route: &Route) -> Arc<RateBucket> {
        Arc::clone(&self.assigned(route).bucket)
    }

    /// An answer named the route's bucket.
    pub(super) fn learn(&mut self, route: &Route, id: &str) -> Arc<RateBucket> {
        let assigned = self.assigned(route);
        if assigned.id.as_deref() == Some(id) {
            return Arc::clone(&assigned.bucket);
        }
        // What is known and under way stays with the first route that names the id.
        let own = assigned.id.is_none().then(|| Arc::clone(&assigned.bucket));
        let id: Arc<str> = id.into();
        let key = (Arc::clone(&id), route.major().map(Into::into));
        let bucket = Arc::clone(self.by_id.entry(key).or_insert_with(|| own.unwrap_or_default()));
        *self.assigned(route) = Assigned { bucket: Arc::clone(&bucket), id: Some(id) };
        bucket
    }

    fn assigned(&mut self, route: &Route) -> &mut Assigned {
        if self.routes.len() >= self.sweep_at {
            let now = Instant::now();
            self.routes.retain(|_, assigned| !assigned.bucket.is_idle(now));
            self.by_id.retain(|_, bucket| !bucket.is_idle(now));
            self.sweep_at = SWEEP_FROM.max(2 * self.routes.len());
        }
        self.routes.entry((route.label(), route.major().map(Into::into))).or_default()
    }
}

#[cfg(test)]
mod tests;
