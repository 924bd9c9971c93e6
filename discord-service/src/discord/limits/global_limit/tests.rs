use super::*;

const FAR: Duration = Duration::from_secs(1_000_000);

/// How many requests go within a second of virtual time from `start` on.
fn in_a_second(state: &mut GlobalLimitState, start: Instant) -> u32 {
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
    assert!((40..=50).contains(&in_a_second(&mut GlobalLimit::new(start).state(), start)));
}

#[test]
fn pods_share_the_rate() {
    let start = Instant::now();
    let limit = GlobalLimit::new(start);
    for (pods, range) in [(4, 12..=13), (0, 47..=49), (1, 47..=49), (1_000, 1..=1)] {
        limit.share_among(pods);
        let mut state = limit.state();
        state.next = start;
        let count = in_a_second(&mut state, start);
        assert!(range.contains(&count), "{pods} pods: {count}");
    }
}

#[tokio::test]
async fn a_pause_stops_also_those_that_wait_already() {
    let limit = GlobalLimit::new(Instant::now());
    let far = Instant::now() + FAR;
    limit.pass(Priority::Alert, far).await.expect("there is time");
    let resumes = Instant::now() + Duration::from_millis(60);
    let (passed, ()) = tokio::join!(
        async {
            limit.pass(Priority::Alert, far).await.expect("there is time");
            Instant::now()
        },
        async { limit.pause(resumes) }
    );
    assert!(passed >= resumes);
    let impatient = limit.pass(Priority::Alert, Instant::now()).await;
    assert!(impatient.is_err(), "the next moment is a fiftieth of a second away");
}

#[tokio::test]
async fn an_alert_waits_behind_one_command_at_most() {
    let limit = GlobalLimit::new(Instant::now());
    let far = Instant::now() + FAR;
    let commands = async {
        let commands = (0..100).map(|_| limit.pass(Priority::Command, far));
        futures::future::join_all(commands).await;
    };
    let alert = async {
        // A command is first, and one more comes between.
        limit.pass(Priority::Alert, far).await.expect("there is time");
        limit.pass(Priority::Alert, far).await.expect("there is time");
    };
    tokio::pin!(commands);
    tokio::select! {
        biased;
        () = &mut commands => panic!("all commands went first"),
        () = alert => {}
    }
    let passed = limit.state().next.saturating_duration_since(far - FAR);
    assert!(passed < INTERVAL * 8, "{passed:?}");
    let impatient = limit.pass(Priority::Command, Instant::now()).await;
    assert!(impatient.is_err(), "a command has its moment already");
}

#[test]
fn very_many_invalid_answers_slow_everything_down_for_ten_minutes() {
    for pods in [1, 4] {
        let start = Instant::now();
        let limit = GlobalLimit::new(start);
        limit.share_among(pods);
        let refuse = |count| (0..count).for_each(|_| limit.state().invalid.add(start));
        let many = MANY_INVALID / pods as u32;
        refuse(many / 2 - 1);
        assert!(limit.may_be_refused());
        refuse(1);
        assert!(!limit.may_be_refused(), "half of them are used up");
        refuse(many / 2 - 1);
        let mut state = limit.state();
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
    let limit = GlobalLimit::new(start);
    let mut state = limit.state();
    for minute in 0..3 {
        state.invalid.add(after(minute));
    }
    assert_eq!([9, 10, 11, 12].map(|minute| state.invalid.count(after(minute))), [3, 2, 1, 0]);
    state.invalid.add(after(100));
    assert_eq!([109, 110].map(|minute| state.invalid.count(after(minute))), [1, 0]);
}
