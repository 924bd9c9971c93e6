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
pub(super) struct Gate {
    state: Mutex<State>,
    /// Held by the one request of commands that has a moment: an alert never waits
    /// behind more than one.
    command: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct State {
    /// Among how many what all have together is divided, at least 1.
    pods: u32,
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
        let invalid = Invalid { minutes: [0; MINUTES], began: now, current: 0, warned: false };
        let state = State { pods: 1, next: now, paused_until: now, invalid };
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

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
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

impl Invalid {
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
    fn pods_share_the_rate() {
        let start = Instant::now();
        let gate = Gate::new(start);
        for (pods, range) in [(4, 12..=13), (0, 47..=49), (1, 47..=49), (1_000, 1..=1)] {
            gate.share_among(pods);
            let mut state = gate.state();
            state.next = start;
            let count = in_a_second(&mut state, start);
            assert!(range.contains(&count), "{pods} pods: {count}");
        }
    }

    #[tokio::test]
    async fn a_pause_stops_also_those_that_wait_already() {
        let gate = Gate::new(Instant::now());
        let far = Instant::now() + FAR;
        gate.pass(Priority::Alert, far).await.expect("there is time");
        let resumes = Instant::now() + Duration::from_millis(60);
        let (passed, ()) = tokio::join!(
            async {
                gate.pass(Priority::Alert, far).await.expect("there is time");
                Instant::now()
            },
            async { gate.pause(resumes) }
        );
        assert!(passed >= resumes);
        let impatient = gate.pass(Priority::Alert, Instant::now()).await;
        assert!(impatient.is_err(), "the next moment is a fiftieth of a second away");
    }

    #[tokio::test]
    async fn an_alert_waits_behind_one_command_at_most() {
        let gate = Gate::new(Instant::now());
        let far = Instant::now() + FAR;
        let commands = async {
            let commands = (0..100).map(|_| gate.pass(Priority::Command, far));
            futures::future::join_all(commands).await;
        };
        let alert = async {
            // A command is first, and one more comes between.
            gate.pass(Priority::Alert, far).await.expect("there is time");
            gate.pass(Priority::Alert, far).await.expect("there is time");
        };
        tokio::pin!(commands);
        tokio::select! {
            biased;
            () = &mut commands => panic!("all commands went first"),
            () = alert => {}
        }
        let passed = gate.state().next.saturating_duration_since(far - FAR);
        assert!(passed < INTERVAL * 8, "{passed:?}");
        let impatient = gate.pass(Priority::Command, Instant::now()).await;
        assert!(impatient.is_err(), "a command has its moment already");
    }

    #[test]
    fn very_many_invalid_answers_slow_everything_down_for_ten_minutes() {
        for pods in [1, 4] {
            let start = Instant::now();
            let gate = Gate::new(start);
            gate.share_among(pods);
            let refuse = |count| (0..count).for_each(|_| gate.state().invalid.add(start));
            let many = MANY_INVALID / pods as u32;
            refuse(many / 2 - 1);
            assert!(gate.may_be_refused());
            refuse(1);
            assert!(!gate.may_be_refused(), "half of them are used up");
            refuse(many / 2 - 1);
            let mut state = gate.state();
            let count = in_a_second(&mut state, start);
            assert!(count > 40 / pods as u32, "{pods} pods: {count}");
            state.invalid.add(start);
            let later = start + Duration::from_secs(5);
            state.reserve(later, start + FAR).expect("there is time");
            let count = in_a_second(&mut state, later);
            assert!((1..=6 / pods as u32).contains(&count), "{pods} pods: {count}");
            let over = start + Duration::from_secs(602);
            assert!(in_a_second(&mut state, over) > 40 / pods as u32);
        }
    }

    #[test]
    fn invalid_answers_are_forgotten_minute_by_minute() {
        let start = Instant::now();
        let after = |minutes: u64| start + Duration::from_secs(60 * minutes);
        let gate = Gate::new(start);
        let mut state = gate.state();
        for minute in 0..3 {
            state.invalid.add(after(minute));
        }
        assert_eq!([9, 10, 11, 12].map(|minute| state.invalid.count(after(minute))), [3, 2, 1, 0]);
        state.invalid.add(after(100));
        assert_eq!([109, 110].map(|minute| state.invalid.count(after(minute))), [1, 0]);
    }
}
