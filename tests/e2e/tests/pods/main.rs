//! Many pods of discord-service that come, go, die and freeze under load.

#![allow(clippy::print_stdout, reason = "what was measured is shown")]

mod load;
mod scene;

use std::time::{Duration, Instant};

use self::{load::Load, scene::Scene};

/// Between two changes, with the load going on.
const BREATH: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pods_come_go_die_and_freeze_and_every_alert_and_command_is_answered_once() {
    let mut scene = Scene::start().await;
    let load = Load::start(&scene).await;
    let mut times: Vec<(&str, Duration)> = Vec::new();

    scene.scale_to(3).await;
    tokio::time::sleep(BREATH).await;

    let leaving = scene.pods.remove(0);
    leaving.signal("TERM");
    let start = Instant::now();
    scene.owned().await;
    times.push(("SIGTERM", start.elapsed()));
    scene.shared().await;
    scene.ends_well(leaving).await;

    scene.scale_to(3).await;
    tokio::time::sleep(BREATH).await;
    let mut dead = scene.pods.remove(1);
    dead.kill();
    let start = Instant::now();
    scene.shared().await;
    times.push(("kill -9", start.elapsed()));

    scene.scale_to(3).await;
    tokio::time::sleep(BREATH).await;
    let frozen = scene.pods.remove(0);
    frozen.signal("STOP");
    let start = Instant::now();
    scene.shared().await;
    times.push(("SIGSTOP", start.elapsed()));
    tokio::time::sleep(BREATH).await;
    frozen.signal("CONT");
    scene.pods.push(frozen);
    scene.shared().await;

    while scene.pods.len() > 1 {
        let leaving = scene.pods.remove(0);
        leaving.signal("TERM");
        scene.shared().await;
        scene.ends_well(leaving).await;
    }
    let report = load.stop(&scene).await;
    times.sort_by_key(|(_, time)| *time);
    println!("taken over (LEASE_TTL_SECS=2): {times:?}; {report}");
    assert!(times.iter().all(|(_, time)| *time < Duration::from_secs(7)), "2 s to live: {times:?}");
    scene.assert_clean();
}
