//! What all requests of the bot share: the global rate, and the count of
//! invalid answers that gets an address banned.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::{Instant, sleep_until, timeout_at};

use super::{Outlasts, Priority};

/// Between two requests of all pods together: 48 a second. Discord takes 50; the
/// rest is for those that the network bunches up.
const INTERVAL: Duration = Duration::from_nanos(1_000_000_000 / 48);

/// Invalid answers (401, 403, 429) to all pods together within [`MINUTES`] from
/// which on requests are spaced out. Discord bans an address at 10,000 for an hour.
const MANY_INVALID: u32 = 4_000;
/// The window in which they are counted, in minutes.
const MINUTES: usize = 10;
/// The spacing then, of all pods together: 3,000 more in the window, even if none
/// were valid.
const SPACED_OUT: Duration = Duration::from_millis(200);

/// Every request that counts globally passes here.
#[derive(Debug)]
pub(super) struct GlobalLimit {
    state: Mutex<GlobalLimitState>,
    /// Held by the one request of commands that has a moment: an alert never waits
    /// behind more than one.
    command: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct GlobalLimitState {
    /// Among how many what all have together is divided, at least 1.
    pods: u32,
    /// The first moment that no request has yet.
    next: Instant,
    paused_until: Instant,
    invalid: InvalidAnswers,
}

/// Invalid answers, counted by the minute.
#[derive(Debug)]
struct InvalidAnswers {
    minutes: [u32; MINUTES],
    /// When the minute began that is counted now.
    began: Instant,
    current: usize,
    warned: bool,
}

impl GlobalLimit {
    pub(super) fn new(now: Instant) -> Self {
        let invalid = InvalidAnswers { minutes: [0; MINUTES], began: now, current: 0, warned: false };
        let state = GlobalLimitState { pods: 1, next: now, paused_until: now, invalid };
        Self { state: Mutex::new(state), command: tokio::sync::Mutex::default() }
    }

    /// Waits for a moment of one's own, evenly spaced.
    ///
    /// # Errors
    /// As soon as it is certain that that moment comes after `deadline`.
    pub(super) async fn pass(&self, priority: Priority, deadline: Instant) -> Result<(), Outlasts> {
        let _turn = match priority {
            Priority::Alert => None,
            Priority::Command => Some(timeout_at(deadline, self.command.lock()).await.map_err(|_| Outlasts)?),
        };
        loop {
            let moment = self.state().reserve(Instant::now(), deadline)?;
            sleep_until(moment).await;
            if self.state().paused_until <= Instant::now() {
                return Ok(());
            }
        }
    }

    /// Takes this pod's share of the rate and of the invalid answers.
    pub(super) fn share_among(&self, pods: usize) {
        self.state().pods = u32::try_from(pods).unwrap_or(u32::MAX).max(1);
    }

    /// Whether less than half of this pod's invalid answers are used up.
    pub(super) fn may_be_refused(&self) -> bool {
        let mut state = self.state();
        let many = state.many_invalid();
        state.invalid.count(Instant::now()) < many / 2
    }

    /// Until when all requests are stopped; may be over.
    pub(super) fn paused_until(&self) -> Instant {
        self.state().paused_until
    }

    /// Stops all requests until then.
    pub(super) fn pause(&self, until: Instant) {
        let mut state = self.state();
        state.paused_until = state.paused_until.max(until);
    }

    /// Counts an answer that could get the address banned.
    pub(super) fn count_invalid(&self) {
        self.state().invalid.add(Instant::now());
    }

    fn state(&self) -> MutexGuard<'_, GlobalLimitState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl GlobalLimitState {
    fn reserve(&mut self, now: Instant, deadline: Instant) -> Result<Instant, Outlasts> {
        let moment = self.next.max(self.paused_until).max(now);
        if moment > deadline {
            return Err(Outlasts);
        }
        let spacing = if self.invalid.are_many(now, self.many_invalid()) { SPACED_OUT } else { INTERVAL };
        self.next = moment + spacing.saturating_mul(self.pods);
        Ok(moment)
    }

    fn many_invalid(&self) -> u32 {
        MANY_INVALID / self.pods
    }
}

impl InvalidAnswers {
    fn add(&mut self, now: Instant) {
        self.forget_old(now);
        self.minutes[self.current] += 1;
    }

    fn count(&mut self, now: Instant) -> u32 {
        self.forget_old(now);
        self.minutes.iter().sum()
    }

    fn are_many(&mut self, now: Instant, many: u32) -> bool {
        let invalid = self.count(now);
        let many = invalid >= many.max(1);
        if many && !self.warned {
            tracing::warn!(
                invalid,
                "Discord refused very many requests within ten minutes; slowing down so that it does not ban this address"
            );
        }
        self.warned = many;
        many
    }

    fn forget_old(&mut self, now: Instant) {
        const MINUTE: Duration = Duration::from_secs(60);
        let passed = now.saturating_duration_since(self.began).as_secs() / MINUTE.as_secs();
        for _ in 0..passed.min(MINUTES as u64) {
            self.current = (self.current + 1) % MINUTES;
            self.minutes[self.current] = 0;
        }
        self.began += Duration::from_secs(passed * MINUTE.as_secs());
    }
}

#[cfg(test)]
mod tests;
