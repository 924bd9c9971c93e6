//! NATS is restarted under several pods and load.

use e2e::{report, scaled};

use crate::{builder, scene::Scene};

/// Alerts of each channel that are accepted, and refused, around each restart.
const ACCEPTED: u64 = 20;
const REFUSED: u64 = 2;

#[tokio::test(flavor = "multi_thread")]
async fn nats_restarts_under_load_and_every_alert_comes_out_once_and_in_order() {
    let mut scene = Scene::start(builder()).await;
    for _ in 0..scaled(2, 6) {
        scene.accepts(ACCEPTED).await;
        scene.stack.nats.kill();
        scene.refuses(REFUSED).await;
        scene.stack.nats.restart().await;
        scene.stack.ingress.ready().await;
    }
    scene.shared().await;
    scene.accepts(ACCEPTED).await;
    let outcome = scene.settle().await;
    report(&format!(
        "{} alerts accepted around NATS's restarts, {} refused",
        outcome.accepted, outcome.refused
    ));
}
