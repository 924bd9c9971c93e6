//! Discord takes no edits for a while.

use std::time::{Duration, Instant};

use e2e::{report, scaled, soak, worst_but_one};
use harness::wait::{SOON, wait_for};
use sandbox_discord::{EdgeAnswer, Effect, Fault};
use tokio::time::sleep;

use crate::scene::{EDIT, Scene};

fn incident() -> Duration {
    Duration::from_secs(scaled(5, 150))
}

/// The longest that a post may take while edits fail, besides its channel's
/// load.
const PROMPT: Duration = Duration::from_secs(3);

async fn posts_go_on_while(name: &str, effect: Effect) {
    let scene = Scene::start(3).await;
    if soak() {
        // A change whose edit has failed for a minute is posted.
        scene.ledger.changes_may_be_posted();
    }
    let mut took = Vec::new();
    let channel = scene.channels[0];
    scene
        .under_load(async {
            let known = scene.alert(channel).await;
            wait_for("it is shown", SOON, || async { scene.shows(channel, &known).then_some(()) }).await;
            scene.stack.sandbox.add_fault(Fault::new(effect).on_endpoint(EDIT));
            let start = Instant::now();
            while start.elapsed() < incident() {
                scene.ledger.change(&scene.stack, channel, &known, "resolved").await;
                let (sent, title) = (Instant::now(), scene.alert(channel).await);
                wait_for("a post is shown although edits fail", SOON, || async {
                    scene.shows(channel, &title).then_some(())
                })
                .await;
                took.push(sent.elapsed());
                sleep(Duration::from_millis(scaled(200, 5_000))).await;
            }
            scene.stack.sandbox.clear_faults();
        })
        .await;
    report(&format!("{name}: a post took {:?} at most while edits failed", took.iter().max()));
    assert!(worst_but_one(took.clone()) < PROMPT, "{name}: {took:?}");
    scene.works(&scene.channels, SOON).await;
    scene.settle().await;
    assert!(scene.stack.dead_letters().await.is_empty(), "{name}");
}

#[tokio::test(flavor = "multi_thread")]
async fn edits_that_fail_hold_up_no_post() {
    posts_go_on_while("500", Effect::Status(500)).await;
    posts_go_on_while("a page with 403", Effect::Edge(EdgeAnswer::html(403, "<h1>Access denied</h1>"))).await;
}
