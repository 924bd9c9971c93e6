use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn held() -> PodLease {
    let pod_lease = PodLease::new("a".to_owned());
    pod_lease.renew((Instant::now(), SystemTime::now()), 10 * SECOND);
    pod_lease
}

#[tokio::test(start_paused = true)]
async fn time_runs_out_unless_it_is_renewed() {
    let pod_lease = held();
    tokio::time::advance(9 * SECOND).await;
    assert!(pod_lease.is_held());
    tokio::time::advance(SECOND).await;
    assert!(!pod_lease.is_held());
}

#[tokio::test(start_paused = true)]
async fn a_renewal_after_somebody_was_stopped_changes_nothing() {
    let pod_lease = held();
    tokio::time::advance(10 * SECOND).await;
    assert_eq!(pod_lease.while_held(std::future::pending::<()>()).await, None);
    pod_lease.renew((Instant::now(), SystemTime::now()), 10 * SECOND);
    assert!(!pod_lease.is_held());
    tokio::time::timeout(SECOND, pod_lease.expired()).await.expect("the pod joins again");
}

#[test]
fn a_machine_that_slept_is_noticed_by_the_wall_clock() {
    let pod_lease = held();
    pod_lease.renew((Instant::now(), SystemTime::now() - 11 * SECOND), 10 * SECOND);
    assert!(!pod_lease.is_held());
}

#[tokio::test(start_paused = true)]
async fn whoever_wakes_too_late_takes_no_further_step() {
    let pod_lease = held();
    let steps = std::cell::Cell::new(0);
    let act = async {
        for _ in 0..3 {
            steps.set(steps.get() + 1);
            tokio::time::sleep(6 * SECOND).await;
        }
    };
    assert_eq!(pod_lease.while_held(act).await, None);
    assert_eq!(steps.get(), 2);
}

#[tokio::test]
async fn the_end_wakes_whoever_waits() {
    let pod_lease = held();
    let (outcome, ()) = tokio::join!(pod_lease.while_held(std::future::pending::<()>()), async {
        pod_lease.end();
    });
    assert_eq!(outcome, None);
}
