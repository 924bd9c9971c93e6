//! Pods come and go as an operator says.

use std::time::Duration;

use e2e::report;

use crate::{
    load::Load,
    scene::{Scene, breathe, channels, lease_ttl},
    times::Times,
};

/// The longest until the leases of a stopping pod have another owner, at any
/// `LEASE_TTL_SECS`.
const BOUND: Duration = Duration::from_secs(2);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pods_come_and_go_and_every_alert_and_command_is_answered_once() {
    let mut scene = Scene::start().await;
    let load = Load::start(&scene, channels()).await;
    let mut times = Times::default();
    for count in [3, 5] {
        times.note("newcomers ready and with their share", scene.scale_up_to(count).await);
        breathe().await;
    }
    for count in [2, 1] {
        times.note("SIGTERM", scene.scale_down_to(count).await);
        breathe().await;
    }
    let outcome = load.stop(&scene).await;
    report(&format!("scaled 1→3→5→2→1 with LEASE_TTL_SECS={}: {times}; {outcome}", lease_ttl().as_secs()));
    times.assert_within("SIGTERM", BOUND);
    scene.assert_clean("scaled");
    // Each move was a resume: Discord counted only the first sessions.
    assert_eq!(scene.stack.sandbox.stats().identifies, 12);
}
