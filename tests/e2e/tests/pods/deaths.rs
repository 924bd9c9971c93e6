//! Pods die and freeze, and frozen ones wake.

use std::time::{Duration, Instant};

use e2e::{report, scaled};
use harness::wait::wait_for;

use crate::{
    load::Load,
    scene::{LONG, Scene, breathe, channels, death_bound, lease_ttl},
    times::Times,
};

const PODS: usize = 3;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_dead_and_frozen_pods_had_is_taken_over_and_a_pod_that_wakes_repeats_nothing() {
    let mut scene = Scene::start().await;
    scene.scale_up_to(PODS).await;
    let load = Load::start(&scene, channels()).await;
    let mut times = Times::default();
    for _ in 0..scaled(1, 3) {
        breathe().await;
        let (_dead, time) = scene.strike(1, "KILL").await;
        times.note("kill -9", time);
        scene.scale_up_to(PODS).await;
    }
    for frozen_for in scaled([lease_ttl() * 2; 1].as_slice(), &[lease_ttl() * 2, Duration::from_secs(60)]) {
        breathe().await;
        let start = Instant::now();
        let (frozen, time) = scene.strike(0, "STOP").await;
        times.note("SIGSTOP", time);
        tokio::time::sleep(frozen_for.saturating_sub(start.elapsed())).await;
        let woken = Instant::now();
        frozen.signal("CONT");
        wait_for("the woken pod joins again", LONG, || async {
            frozen.log().contains("could not renew its leases in time").then_some(())
        })
        .await;
        scene.pods.push(frozen);
        scene.hand_over(woken).await;
    }
    let outcome = load.stop(&scene).await;
    report(&format!("deaths with LEASE_TTL_SECS={}: {times}; {outcome}", lease_ttl().as_secs()));
    times.assert_within("kill -9", death_bound());
    times.assert_within("SIGSTOP", death_bound());
    scene.assert_clean("deaths");
}
