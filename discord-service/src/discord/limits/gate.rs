//! What all requests of the bot share: the global rate, and the count of
//! invalid answers that gets an address banned.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::{Instant, sleep_until};

use super::Outlasts;

/// Requests a second of all pods together. Discord takes 50; the rest is for
/// those that the network bunches up.
pub const GLOBAL_RATE: f64 = 48.0;
/// Slower is not possible: a rate of zero would be a stop without an end.
const SLOWEST: f64 = 0.1;

/// Invalid answers (401, 403, 429) within [`MINUTES`] from which on requests
/// are spaced out. Discord bans an address at 10,000 for an hour.
const MANY_INVALID: u32 = 4_000;
/// The window in which they are counted, in minutes.
const MINUTES: usize = 10;
/// The spacing then: 3,000 more in the window, even if none were valid.
const SPACED_OUT: Duration = Duration::from_millis(200);

/// Every request that counts globally passes here.
#[derive(Debug)]
pub(super) struct Gate(Mutex<State>);

#[derive(Debug)]
struct State {
    interval: Duration,
    /// The first moment that no request has yet.
    next: Instant,
    paused_until: Instant,
    invalid: Invalid,
}

/// Invalid answers, counted by the minute.
#[derive(Debug)]
struct Invalid {
    minutes: [u32; MINUTES],
    /// When the minute began that is counted now.
    began: Instant,
    current: usize,
    warned: bool,
}

impl Gate {
    pub(super) fn new(now: Instant) -> Self {
        Self(Mutex::new(State {
            interval: interval(GLOBAL_RATE),
            next: now,
            paused_until: now,
            invalid: Invalid { minutes: [0; MINUTES], began: now, current: 0, warned: false },
        }))
    }

    /// Waits for a moment of one's own, evenly spaced.
    ///
    /// # Errors
    /// At once when that moment comes after `deadline`.
    pub(super) async fn pass(&self, deadline: Instant) -> Result<(), Outlasts> {
        loop {
            let moment = self.state().reserve(Instant::now(), deadline)?;
            sleep_until(moment).await;
            if self.state().paused_until <= Instant::now() {
                return Ok(());
            }
        }
    }

    /// Changes how many requests a second may go.
    pub(super) fn set_rate(&self, per_second: f64) {
        self.state().interval = interval(per_second);
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

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn reserve(&mut self, now: Instant, deadline: Instant) -> Result<Instant, Outlasts> {
        let moment = self.next.max(self.paused_until).max(now);
        if moment > deadline {
            return Err(Outlasts);
        }
        let spacing = if self.invalid.are_many(now) { SPACED_OUT } else { Duration::ZERO };
        self.next = moment + self.interval.max(spacing);
        Ok(moment)
    }
}

impl Invalid {
    fn add(&mut self, now: Instant) {
        self.forget_old(now);
        self.minutes[self.current] += 1;
    }

    fn are_many(&mut self, now: Instant) -> bool {
        self.forget_old(now);
        let many = self.minutes.iter().sum::<u32>() >= MANY_INVALID;
        if many && !self.warned {
            tracing::warn!(
                invalid = MANY_INVALID,
                "Discord refused very many requests within ten minutes: slowing down so that it does not ban this address"
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

fn interval(per_second: f64) -> Duration {
    // `max` also turns NaN into the slowest rate.
    Duration::from_secs_f64(1.0 / per_second.max(SLOWEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAR: Duration = Duration::from_secs(1_000_000);

    /// How many requests go within a second of virtual time from `start` on.
    fn in_a_second(state: &mut State, start: Instant) -> u32 {
        let (mut now, mut count) = (start, 0);
        loop {
            now = state.reserve(now, start + FAR).expect("there is time");
            if now >= start + Duration::from_secs(1) {
                return count;
            }
            count += 1;
        }
    }

    #[test]
    fn no_second_has_more_than_fifty_requests() {
        let start = Instant::now();
        assert!((40..=50).contains(&in_a_second(&mut Gate::new(start).state(), start)));
    }

    #[test]
    fn the_rate_can_be_changed() {
        let start = Instant::now();
        let gate = Gate::new(start);
        gate.set_rate(10.0);
        assert!((9..=11).contains(&in_a_second(&mut gate.state(), start)));
        gate.set_rate(f64::NAN);
        assert_eq!(gate.state().interval, Duration::from_secs(10));
    }

    #[tokio::test]
    async fn a_pause_stops_also_those_that_wait_already() {
        let gate = Gate::new(Instant::now());
        let far = Instant::now() + FAR;
        gate.pass(far).await.expect("there is time");
        let resumes = Instant::now() + Duration::from_millis(60);
        let (passed, ()) = tokio::join!(
            async {
                gate.pass(far).await.expect("there is time");
                Instant::now()
            },
            async { gate.pause(resumes) }
        );
        assert!(passed >= resumes);
        let impatient = gate.pass(Instant::now()).await;
        assert!(impatient.is_err(), "the next moment is a fiftieth of a second away");
    }

    #[test]
    fn very_many_invalid_answers_slow_everything_down_for_ten_minutes() {
        let start = Instant::now();
        let gate = Gate::new(start);
        let mut state = gate.state();
        for _ in 0..MANY_INVALID {
            state.invalid.add(start);
        }
        state.reserve(start, start + FAR).expect("there is time");
        assert!(in_a_second(&mut state, start) <= 6);
        assert!(in_a_second(&mut state, start + Duration::from_secs(602)) > 40);
    }
}
