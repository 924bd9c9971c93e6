//! Discord's edge, or a proxy before it, refuses everything in every form it has.

use std::time::{Duration, Instant};

use e2e::{report, scaled};
use sandbox_discord::{EdgeAnswer, Effect, Fault};
use serde_json::json;
use tokio::time::sleep;

use crate::scene::{Scene, closed};

/// How long each form lasts.
fn incident() -> Duration {
    Duration::from_millis(scaled(1_500, 10_000))
}

/// How soon after that a new alert is shown.
const HEALED: Duration = Duration::from_secs(20);

fn page(status: u16, title: &str) -> EdgeAnswer {
    let body = format!("<!DOCTYPE html><html><head><title>{title}</title></head><body>{title}</body></html>");
    EdgeAnswer::html(status, body).header("server", "cloudflare")
}

fn forms() -> Vec<(&'static str, Fault)> {
    let everywhere = |answer| Fault::new(Effect::Edge(answer)).everywhere();
    vec![
        ("JSON 40333", everywhere(EdgeAnswer::refusal(403, 40333, "internal network error"))),
        ("text 1020", everywhere(EdgeAnswer::text(403, "error code: 1020"))),
        ("a page with 403", everywhere(page(403, "Access denied"))),
        ("an empty 403", everywhere(EdgeAnswer::new(403, ""))),
        ("a proxy's 404", everywhere(EdgeAnswer::text(404, "404 page not found"))),
        ("JSON 404 with code 0", everywhere(EdgeAnswer::refusal(404, 0, "404: Not Found"))),
        ("JSON 400 without a code", everywhere(EdgeAnswer::json(400, &json!({ "message": "Bad Request" })))),
        (
            "JSON 403 with another code",
            everywhere(EdgeAnswer::refusal(403, 40062, "Service resource is busy")),
        ),
        ("500", everywhere(EdgeAnswer::refusal(500, 0, "500: Internal Server Error"))),
        ("a page with 502", everywhere(page(502, "Bad gateway"))),
        (
            "401 on every other answer",
            everywhere(EdgeAnswer::refusal(401, 0, "401: Unauthorized"))
                .except("GET /users/@me")
                .with_probability(0.5, 7),
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_the_edge_says_closes_no_channel_and_buries_nothing() {
    let scene = Scene::start(4).await;
    for (name, fault) in forms() {
        let asked = scene.stack.sandbox.stats().requests.values().sum::<u64>();
        scene
            .under_load(async {
                scene.stack.sandbox.add_fault(fault);
                sleep(incident()).await;
                scene.stack.sandbox.clear_faults();
            })
            .await;
        let asked = scene.stack.sandbox.stats().requests.values().sum::<u64>() - asked;
        let start = Instant::now();
        scene.works(&scene.channels, HEALED).await;
        report(&format!("{name}: {asked} requests met it, works {:?} after it", start.elapsed()));
        assert!(
            scene.stack.dead_letters().await.is_empty(),
            "{name}: {:?}",
            scene.stack.dead_letters().await
        );
        let said = scene.status(scene.channels[0]).await;
        assert_eq!(closed(&said), None, "{name}: {said}");
    }
    scene.settle().await;
    assert!(scene.stack.dead_letters().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn while_posts_alone_are_refused_the_status_says_that_alerts_wait() {
    let scene = Scene::start(2).await;
    for channel in &scene.channels {
        let answer = EdgeAnswer::refusal(403, 40333, "internal network error");
        scene.stack.sandbox.add_fault(Fault::new(Effect::Edge(answer)).on_channel(*channel));
    }
    scene
        .under_load(async {
            for channel in &scene.channels {
                let title = scene.alert(*channel).await;
                let said = scene.status(*channel).await;
                assert_eq!(closed(&said), None, "{said}");
                assert!(!said.contains("Waiting = None"), "{title:?} waits: {said}");
                assert!(said.contains("Dead Letters = None"), "{said}");
            }
            scene.stack.sandbox.clear_faults();
        })
        .await;
    scene.works(&scene.channels, HEALED).await;
    scene.settle().await;
    assert!(scene.stack.dead_letters().await.is_empty());
}
