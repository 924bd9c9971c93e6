use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn held() -> Fence {
    let fence = Fence::new("a".to_owned());
    fence.renew((Instant::now(), SystemTime::now()), 10 * SECOND);
    fence
}

#[tokio::test(start_paused = true)]
async fn time_runs_out_unless_it_is_renewed() {
    let fence = held();
    tokio::time::advance(9 * SECOND).await;
    assert!(fence.is_held());
    tokio::time::advance(SECOND).await;
    assert!(!fence.is_held());
}

#[tokio::test(start_paused = true)]
async fn a_renewal_after_somebody_was_stopped_changes_nothing() {
    let fence = held();
    tokio::time::advance(10 * SECOND).await;
    assert_eq!(fence.while_held(std::future::pending::<()>()).await, None);
    fence.renew((Instant::now(), SystemTime::now()), 10 * SECOND);
    assert!(!fence.is_held());
    tokio::time::timeout(SECOND, fence.expired()).await.expect("the pod joins again");
}

#[test]
fn a_machine_that_slept_is_noticed_by_the_wall_clock() {
    let fence = held();
    fence.renew((Instant::now(), SystemTime::now() - 11 * SECOND), 10 * SECOND);
    assert!(!fence.is_held());
}

#[tokio::test(start_paused = true)]
async fn whoever_wakes_too_late_takes_no_further_step() {
    let fence = held();
    let steps = std::cell::Cell::new(0);
    let act = async {
        for _ in 0..3 {
            steps.set(steps.get() + 1);
            tokio::time::sleep(6 * SECOND).await;
        }
    };
    assert_eq!(fence.while_held(act).await, None);
    assert_eq!(steps.get(), 2);
}

#[tokio::test]
async fn the_end_wakes_whoever_waits() {
    let fence = held();
    let (outcome, ()) = tokio::join!(fence.while_held(std::future::pending::<()>()), async {
        fence.end();
    });
    assert_eq!(outcome, None);
}
